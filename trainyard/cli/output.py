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
    """Rows under their heads; where the terminal is narrow, `stretch` is cut first."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in columns:
        right = name.startswith(">")
        table.add_column(
            name.removeprefix(">"),
            justify="right" if right else "left",
            no_wrap=True,
            overflow="ellipsis",
            min_width=None if name == stretch else len(name),
        )
    for row in rows:
        table.add_row(*(cell if hasattr(cell, "plain") else str(cell) for cell in row))
    if table.row_count:
        console().print(table)
    else:
        console().print(empty, style="dim")


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
