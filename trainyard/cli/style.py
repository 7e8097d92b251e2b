"""The command that has one picture painted in the manner of others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from trainyard.cli.jobs import follow_up
from trainyard.cli.session import JsonFlag, connect
from trainyard.cli.training import Sets, Watch


def style(
    context: typer.Context,
    content: Annotated[Path, typer.Argument(help="The picture that is shown.")],
    styles: Annotated[list[Path], typer.Argument(help="Pictures that show how to paint.", metavar="STYLE…")],
    weights: Annotated[
        list[float] | None, typer.Option("--weight", help="How much each style counts, in their order.")
    ] = None,
    masks: Annotated[
        list[Path] | None,
        typer.Option("--mask", help="Where each style goes, in their order: white on black, of the content's size."),
    ] = None,
    sets: Sets = None,
    watch_it: Watch = False,
    as_json: JsonFlag = False,
) -> None:
    """Paint CONTENT in the manner of STYLE: --set size=1024 --set steps=500 --set preserve_colors=luminance …"""
    from trainyard.cli.spec_options import set_values

    _check(content, *styles, *(masks or []))
    for name, given in (("--weight", weights), ("--mask", masks)):
        if given and len(given) != len(styles):
            raise typer.BadParameter(f"Expected {name} once for each of the {len(styles)} styles, got {len(given)}.")
    spec: dict[str, Any] = {"kind": "style_transfer"}
    set_values(spec, sets)
    client = connect(context)
    spec |= {"content": client.upload_picture(content).id, "styles": []}
    for index, path in enumerate(styles):
        one: dict[str, Any] = {"picture": client.upload_picture(path).id}
        if weights:
            one["weight"] = weights[index]
        if masks:
            one["mask"] = client.upload_picture(masks[index]).id
        spec["styles"].append(one)
    follow_up(client, client.submit(spec), watch_it=watch_it, as_json=as_json)


COMMANDS: dict[str, Callable[..., None]] = {"style": style}


def _check(*paths: Path) -> None:
    for path in paths:
        if not path.is_file():
            raise typer.BadParameter(f"{path} is no file.")
