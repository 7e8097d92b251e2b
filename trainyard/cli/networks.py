"""Commands on networks: list those with a name, show what one is and costs. Only the yard knows networks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trainyard.cli.session import JsonFlag, connect

if TYPE_CHECKING:
    from trainyard.results import Network, NetworkDescription, NetworkLayer

networks = typer.Typer(help="The networks that the yard knows.", invoke_without_command=True)

_NARROW = 120
"""Columns below which names are cut, so that a table takes no more than 80."""
_NARROW_NAME, _NARROW_TYPE = 16, 14


@networks.callback()
def list_networks(context: typer.Context, as_json: JsonFlag = False) -> None:
    """List the networks that the yard knows, and how many files of pretrained weights there are for each."""
    if context.invoked_subcommand is None:
        _list(context, as_json=as_json)


@networks.command("list")
def list_again(context: typer.Context, as_json: JsonFlag = False) -> None:
    """List the networks that the yard knows; the same as `networks` alone."""
    _list(context, as_json=as_json)


def _list(context: typer.Context, *, as_json: bool) -> None:
    from trainyard.cli import words
    from trainyard.cli.output import print_json, print_table

    found = list(connect(context).networks())
    if as_json:
        print_json(found)
        return
    rows = (
        (n.name, n.title, words.count(n.parameters), words.count(n.multiply_adds), len(n.weights) or "", n.paper)
        for n in found
    )
    print_table(("NAME", "TITLE", ">PARAMS", ">MADDS", ">WEIGHTS", "PAPER"), rows, empty="None.", stretch="PAPER")


@networks.command("show")
def show_network(
    context: typer.Context,
    network: Annotated[str, typer.Argument(help="A network's name, or a JSON file with layers or a spec (- reads).")],
    size: Annotated[str, typer.Option("--input", help="Images, such as 224x224x3; else those of the paper.")] = "",
    classes: Annotated[int | None, typer.Option(help="How many classes; else those of the paper.")] = None,
    dataset: Annotated[str | None, typer.Option(help="For this dataset's images and classes.")] = None,
    sets: Annotated[
        list[str] | None, typer.Option("--set", metavar="OPTION=VALUE", help="Set an option: --set width=0.5.")
    ] = None,
    svg: Annotated[Path | None, typer.Option(help="Write a drawing to this file.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what a network is and costs, layer by layer, before anything is submitted."""
    from trainyard.cli.output import console, print_json

    asked, images = _read(network, sets or [], dataset)
    if size:
        images["input_shape"] = _shape(size)
    if classes is not None:
        images["classes"] = classes
    if dataset is None and len(images) > 1:  # what is said here goes before a spec's dataset
        images.pop("dataset", None)
    client = connect(context)
    known = client.network(asked["name"]) if "name" in asked else None
    description = client.describe_network(asked, **images)
    if svg is not None:
        svg.write_text(client.draw_network(asked, **images), encoding="utf-8")
    if as_json:
        about = known.model_dump(mode="json", include={"title", "paper", "options", "weights"}) if known else {}
        print_json({**description.model_dump(mode="json"), **about})
        return
    _print_head(description, known)
    _print_layers(description)
    if svg is not None:
        console().print(f"\nThe drawing is in {svg}.")


def _read(network: str, sets: list[str], dataset: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The network as in a spec, and what is said of its images."""
    from trainyard.cli.spec_options import read_json_file, set_value

    images: dict[str, Any] = {} if dataset is None else {"dataset": dataset}
    if network == "-" or network.endswith(".json") or "/" in network:
        read = read_json_file(Path(network))
        asked = read.get("network", read)
        if not isinstance(asked, dict) or not ({"name", "layers"} & set(asked)):
            raise typer.BadParameter(f'{network} holds no network: expected {{"layers": [...]}}, or a spec with one.')
        if "network" in read and "dataset" in read:
            images.setdefault("dataset", read["dataset"])
    else:
        asked = {"name": network}
    for setting in sets:
        set_value(asked.setdefault("options", {}), setting)
    return asked, images


def _shape(size: str) -> list[int]:
    """`224x224x3` or `224x224`, which is in colour."""
    if not re.fullmatch(r"\d{1,6}[x×]\d{1,6}([x×]\d{1,6})?", size):
        raise typer.BadParameter(f"Expected --input HEIGHTxWIDTHxCHANNELS, such as 224x224x3, got {size!r}.")
    sides = [int(side) for side in re.split("[x×]", size)]
    return sides if len(sides) == 3 else [*sides, 3]


# ── printing ─────────────────────────────────────────────────────────────────────────────────────────────────


def _print_head(description: NetworkDescription, known: Network | None) -> None:
    from trainyard.cli import words
    from trainyard.cli.output import console, print_pairs

    totals, training = description.totals, description.training
    extra = f" ({training.parameters:,} in training)" if training.parameters != totals.parameters else ""
    console().print(f"{description.name}  {known.title if known else 'layers of its own'}", style="bold")
    print_pairs(
        [
            ("paper", known.paper if known else ""),
            ("images", f"{_by(description.input_shape)}, {description.classes:,} classes"),
            ("parameters", f"{totals.parameters:,}, {words.bytes_(totals.weight_bytes)}{extra}"),
            ("activations", f"{words.bytes_(totals.activation_bytes)} for one image"),
            ("multiply-adds", f"{totals.multiply_adds:,} for one image"),
        ]
    )
    console().print()
    if known is None:
        return
    console().print("Options: default (what else), meaning", style="bold")
    print_pairs(
        (o.name, f"{words.value(o.default)} ({', '.join(map(str, o.choices)) if o.choices else o.type})  {o.doc}")
        for o in known.options
    )
    console().print()
    if known.weights:
        console().print("Pretrained weights: what they are, licence", style="bold")
        print_pairs((weights.name, f"{weights.title}  {weights.licence}") for weights in known.weights)
        console().print()


def _print_layers(description: NetworkDescription) -> None:
    from trainyard.cli.output import console, print_table

    narrow = console().width < _NARROW
    columns = ("LAYER", "TYPE", ">OUTPUT", ">PARAMS", ">BYTES", ">MADDS", ">SEES")
    print_table(columns, (_row(layer, narrow=narrow) for layer in description.layers), empty="", stretch="LAYER")
    if any(layer.auxiliary for layer in description.layers):
        console().print("* only in training", style="dim")


def _row(layer: NetworkLayer, *, narrow: bool) -> tuple[str, ...]:
    from trainyard.cli import words

    name = f"*{layer.name}" if layer.auxiliary else layer.name
    return (
        words.middle_cut(name, _NARROW_NAME) if narrow else name,
        words.middle_cut(layer.type, _NARROW_TYPE) if narrow else layer.type,
        _by(layer.output_shape),
        words.count(layer.parameters),
        words.count(layer.activation_bytes),
        words.count(layer.multiply_adds),
        _sees(layer),
    )


def _sees(layer: NetworkLayer) -> str:
    """`427 /32`: what a layer sees of the image, and the step to its neighbour's field, in pixels."""
    if layer.receptive_field is None:
        return "all"
    height, width = layer.receptive_field
    sees = f"{height}" if height == width else f"{height}×{width}"
    return f"{sees} /{max(layer.stride)}" if layer.stride else sees


def _by(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
