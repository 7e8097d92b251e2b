"""Printing: tables and pairs for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console
    from rich.text import Text

_STATUS_STYLES = {
    "queued": "yellow",
    "placed": "yellow",
    "running": "cyan",
    "succeeded": "green",
    "failed": "red",
    "cancelled": "magenta",
    "interrupted": "magenta",
    "lost": "red",
    "checking": "cyan",
    "ready": "green",
    "refused": "red",
    "empty": "yellow",
}
_WIDE = 400
"""Columns where the output goes to no terminal: nothing is cut there."""


@cache
def console() -> Console:
    """Standard output, with colours only on a terminal."""
    from rich.console import Console

    made = Console(highlight=False, emoji=False, markup=False)
    return made if made.is_terminal else Console(highlight=False, emoji=False, markup=False, width=_WIDE)


def print_json(result: BaseModel | Sequence[BaseModel] | dict[str, Any]) -> None:
    """One JSON value: an object, or an array for many."""
    typer.echo(json.dumps(_plain(result), indent=2, ensure_ascii=False))


def print_json_line(result: BaseModel) -> None:
    """One JSON object on a line of its own, for streams."""
    typer.echo(result.model_dump_json())


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str, stretch: str = "") -> None:
    """Rows under their heads (`>` before a head: to the right); on a narrow terminal only `stretch` is cut."""
    from rich.table import Table
    from rich.text import Text

    cells = [[cell if isinstance(cell, Text) else Text(str(cell)) for cell in row] for row in rows]
    if not cells:
        console().print(empty, style="dim")
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for head, column in zip(columns, zip(*cells, strict=True), strict=True):
        name = head.removeprefix(">")
        width = len(name) if name == stretch else max(len(name), *map(len, column))
        justify: Any = "left" if head == name else "right"
        table.add_column(name, justify=justify, no_wrap=True, overflow="ellipsis", min_width=width)
    for row in cells:
        table.add_row(*row)
    console().print(table)


def print_pairs(pairs: Iterable[tuple[str, Any]]) -> None:
    """Names and values, the empty ones left out."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, shown in pairs:
        if shown not in (None, ""):
            grid.add_row(name, shown if hasattr(shown, "plain") else str(shown))
    console().print(grid)


def status_text(status: str) -> Text:
    """A status in its colour."""
    from rich.text import Text

    return Text(status, style=_STATUS_STYLES.get(status, ""))


def _plain(result: BaseModel | Sequence[BaseModel] | dict[str, Any]) -> Any:
    if isinstance(result, dict):
        return result
    if isinstance(result, Sequence):
        return [item.model_dump(mode="json") for item in result]
    return result.model_dump(mode="json")
