"""Commands that send the jobs people want most: finetune, train and segment, with all else at its default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from trainyard.cli.jobs import send
from trainyard.cli.runs import read_base
from trainyard.cli.session import JsonFlag

Dataset = Annotated[str, typer.Option(help="A dataset of the yard, such as ants-bees.")]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set another field: --set epochs=12 --set augmentation.mixup=0.2."),
]
Key = Annotated[str, typer.Option(help="Idempotency key: the same key and spec make one job.")]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Watch it until it has finished.")]


def finetune(
    context: typer.Context,
    dataset: Dataset,
    base: Annotated[
        str, typer.Option(help="Where to start: weights by name (efficientnet_lite0), or an earlier job (12, 12:last).")
    ] = "",
    sets: Sets = None,
    key: Key = "",
    watch_it: Watch = False,
    as_json: JsonFlag = False,
) -> None:
    """Fine-tune a network that has learned before on a dataset of your own."""
    from trainyard.cli.spec_options import set_values

    spec: dict[str, Any] = {"kind": "finetune", "dataset": dataset}
    if base:
        spec["base"] = read_base(base)
    set_values(spec, sets)
    send(context, spec, key=key, watch_it=watch_it, as_json=as_json)


def train(
    context: typer.Context,
    dataset: Dataset,
    network: Annotated[str, typer.Option(help="A network that the yard knows, such as resnet18.")],
    sets: Sets = None,
    key: Key = "",
    watch_it: Watch = False,
    as_json: JsonFlag = False,
) -> None:
    """Train a network from random weights."""
    from trainyard.cli.spec_options import set_values

    spec: dict[str, Any] = {"kind": "train", "dataset": dataset, "network": {"name": network}}
    set_values(spec, sets)
    send(context, spec, key=key, watch_it=watch_it, as_json=as_json)


def segment(
    context: typer.Context,
    dataset: Dataset,
    network: Annotated[str, typer.Option(help="unet, fcn32s, fcn16s, fcn8s or deeplab_v3plus.")] = "unet",
    base: Annotated[
        str, typer.Option(help="Its backbone: weights by name (efficientnet_lite0), or an earlier job (12, 12:last).")
    ] = "",
    sets: Sets = None,
    key: Key = "",
    watch_it: Watch = False,
    as_json: JsonFlag = False,
) -> None:
    """Train a network to tell the class of every pixel, on a dataset with masks."""
    from trainyard.cli.spec_options import set_values

    spec: dict[str, Any] = {"kind": "segment", "dataset": dataset, "network": {"name": network}}
    if base:
        spec["base"] = read_base(base)
    set_values(spec, sets)
    send(context, spec, key=key, watch_it=watch_it, as_json=as_json)


COMMANDS: dict[str, Callable[..., None]] = {"finetune": finetune, "train": train, "segment": segment}
