"""The command that lets trained models vote on a whole split."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from trainyard.cli.jobs import send
from trainyard.cli.session import JsonFlag


def evaluate(
    context: typer.Context,
    runs: Annotated[list[str], typer.Argument(help="Jobs that trained: 12, or 12:last.", metavar="JOB…")],
    split: Annotated[str, typer.Option(help="train, val or test.")] = "test",
    dataset: Annotated[str, typer.Option(help="That of the first job when left out.")] = "",
    vote_weights: Annotated[str, typer.Option(help="How much each job counts: 1,1,2.")] = "",
    views: Annotated[int, typer.Option(min=0, max=256, help="Show each image so many times more, changed.")] = 0,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Another field: test_time_augmentation.augmentation.shift=0.1."
        ),
    ] = None,
    watch_it: Annotated[bool, typer.Option("--watch", "-w", help="Watch it until it has finished.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Count how often a trained model is right, or several that vote, with a confidence interval."""
    from trainyard.cli.spec_options import set_values

    spec: dict[str, Any] = {"kind": "evaluate", "runs": [read_run(text) for text in runs], "split": split}
    if dataset:
        spec["dataset"] = dataset
    if vote_weights:
        spec["vote_weights"] = [_number(text) for text in vote_weights.split(",")]
    if views:
        spec["test_time_augmentation"] = {"count": views}
    set_values(spec, sets)
    send(context, spec, watch_it=watch_it, as_json=as_json)


COMMANDS: dict[str, Callable[..., None]] = {"evaluate": evaluate}


def read_run(text: str) -> dict[str, Any]:
    """`12` and `12:last` as a run.

    Raises:
        typer.BadParameter: it names no job.
    """
    job, _, weights = text.partition(":")
    if not job.isdigit():
        raise typer.BadParameter(f"Expected the number of a job, such as 12 or 12:last, got {text!r}.")
    return {"job": int(job), "weights": weights} if weights else {"job": int(job)}


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"Expected numbers with commas between, such as 1,1,2, got {text!r}.") from None
