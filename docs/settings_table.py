"""Writes the table of settings in `docs/operations.md` from the settings class. A test checks that it is in step."""

from __future__ import annotations

from pathlib import Path

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo

from records.settings import Settings

PAGE = Path(__file__).with_name("operations.md")
BEGIN, END = "<!-- settings: made by `python docs/settings_table.py` -->\n", "<!-- end of settings -->\n"


def table() -> str:
    """The settings as a Markdown table."""
    rows = [_row(name, field) for name, field in Settings.model_fields.items()]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows, ""])


def page_with_table(page: str) -> str:
    """The page with its table made anew."""
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _row(name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    variable = f"{alias.choices[-1]}" if isinstance(alias, AliasChoices) else f"TRAINYARD_{name.upper()}"
    default = field.default
    shown = "" if default in (None, "", ()) or isinstance(default, SecretStr) else f"`{default}`"
    meaning = " ".join((field.description or "").split())
    return f"| `{variable}` | {shown} | {meaning} |"


if __name__ == "__main__":
    PAGE.write_text(page_with_table(PAGE.read_text()))
