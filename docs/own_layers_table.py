"""Writes the table of layers in `docs/own-networks.md` from the layers' classes. A test checks that it is in step."""

from __future__ import annotations

from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from ml.networks.layers import LAYERS, Layer
from ml.networks.own_layers import WITH_ACTIVATION

PAGE = Path(__file__).with_name("own-networks.md")
BEGIN, END = "<!-- layers: made by `python docs/own_layers_table.py` -->\n", "<!-- end of layers -->\n"


def table() -> str:
    """Every layer with its arguments, as a Markdown table."""
    rows = [_row(name, cls) for name, cls in LAYERS.items()]
    return "\n".join(["| type | arguments, with their defaults | what it does |", "|---|---|---|", *rows, ""])


def page_with_table(page: str) -> str:
    """The page with its table made anew."""
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _row(name: str, cls: type[Layer]) -> str:
    properties = TypeAdapter(cls).json_schema().get("properties", {})
    shown = [_argument(field, properties[field.name]) for field in fields(cls)]  # type: ignore[arg-type]
    if name in WITH_ACTIVATION:
        shown.append("`activation` = null")
    meaning = (cls.__doc__ or "").strip().partition("\n\n")[0]
    inputs = "" if cls.inputs == (1, 1) else f" Takes {cls.inputs[0]} or more inputs."
    return f"| `{name}` | {', '.join(shown) or 'none'} | {' '.join(meaning.split())}{inputs} |"


def _argument(field: Any, schema: dict[str, Any]) -> str:
    default = "needed" if field.default is MISSING else _plain(field.default)
    choices = f" ({', '.join(schema['enum'])})" if "enum" in schema and len(schema["enum"]) <= 3 else ""
    return f"`{field.name}`{choices}: needed" if default == "needed" else f"`{field.name}`{choices} = {default}"


def _plain(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, tuple):
        return f"[{', '.join(map(_plain, value))}]"
    return str(value)


if __name__ == "__main__":
    PAGE.write_text(page_with_table(PAGE.read_text()))
