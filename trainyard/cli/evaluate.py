"""The command that lets trained models vote on a whole split."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from trainyard.cli.jobs import send
from trainyard.cli.runs import read_run
from trainyard.cli.session import JsonFlag
from trainyard.cli.training import Key, Sets, Watch


def evaluate(
    context: typer.Context,
    runs: Annotated[list[str], typer.Argument(help="Jobs that trained: 12, or 12:last.", metavar="JOB…")],
    split: Annotated[str, typer.Option(help="train, val or test.")] = "test",
    dataset: Annotated[str, typer.Option(help="That of the first job when left out.")] = "",
    vote_weights: Annotated[str, typer.Option(help="How much each job counts: 1,1,2.")] = "",
    views: Annotated[int, typer.Option(min=0, max=256, help="Show each image so many times more, changed.")] = 0,
    sets: Sets = None,
    key: Key = "",
    watch_it: Watch = False,
    as_json: JsonFlag = False,
) -> None:
    """Count how often a trained model is right, or several that vote, with a confidence interval.

    Another field: --set test_time_augmentation.augmentation.shift=0.1
    """
    from trainyard.cli.spec_options import set_values

    spec: dict[str, Any] = {"kind": "evaluate", "runs": [read_run(text) for text in runs], "split": split}
    if dataset:
        spec["dataset"] = dataset
    if vote_weights:
        spec["vote_weights"] = [_number(text) for text in vote_weights.split(",")]
    if views:
        spec["test_time_augmentation"] = {"count": views}
    set_values(spec, sets)
    send(context, spec, key=key, watch_it=watch_it, as_json=as_json)


COMMANDS: dict[str, Callable[..., None]] = {"evaluate": evaluate}


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"Expected numbers with commas between, such as 1,1,2, got {text!r}.") from None
