"""`trainyard estimate`: what a job would cost, before it is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trainyard.cli.session import JsonFlag, connect

if TYPE_CHECKING:
    from trainyard.results import Estimate, Fit, Peak


def estimate(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="A JSON file with a spec; - reads standard input.")] = None,
    kind: Annotated[str, typer.Option(help="The job's kind, such as train.")] = "",
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Set a field: --set network.name=lenet5 --set batch_size=64."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Tell what a job would cost and where it fits; nothing is queued."""
    from trainyard.cli.output import print_json
    from trainyard.cli.spec_options import read_spec

    spec = read_spec(file, kind=kind, sets=sets or [])
    if not spec:
        raise typer.BadParameter("Name a FILE with a spec, or say --kind train --set dataset=mnist …")
    found = connect(context).estimate(spec)
    if as_json:
        print_json(found)
    else:
        print_estimate(found)


def print_estimate(found: Estimate) -> None:
    """Print it for people."""
    from trainyard.cli.output import console, print_pairs, print_table

    print_pairs(_facts(found))
    rows = [_fit(fit) for fit in found.devices]
    console().print()
    columns = ("DEVICE", "FITS", ">NEEDS", ">HAS", ">LARGEST BATCH")
    print_table(columns, rows, empty="No worker is online: nobody can tell where it fits.")
    for fit in found.devices:
        if not fit.fits:
            _print_remedies(fit)


def _facts(found: Estimate) -> Iterator[tuple[str, Any]]:
    from trainyard.cli import words

    counts = found.parameters
    yield "parameters", f"{counts.trainable:,} trained" + (f", {counts.fixed:,} not" if counts.fixed else "")
    parts = (found.weights_bytes, found.gradients_bytes, found.optimizer_bytes)
    yield "weights, gradients, slots", " + ".join(map(words.bytes_, parts))
    yield "by hand, to predict one", words.bytes_(found.by_hand.predict_bytes)
    yield "by hand, to train a batch", words.bytes_(found.by_hand.train_bytes)
    for kind, peak in found.peak.items():
        yield f"peak on a {kind.upper()}", _peak(peak)
    yield "multiply-adds a step", f"{found.multiply_adds.step:,}"
    for pace in found.epoch:
        yield f"an epoch on {pace.device_model}", f"{words.span(pace.epoch_s)} (from {_jobs(pace.jobs)})"


def _peak(peak: Peak) -> str:
    from trainyard.cli import words

    low, likely, high = map(words.bytes_, (peak.low_bytes, peak.likely_bytes, peak.high_bytes))
    corrected = f", corrected by {peak.corrected_by_jobs} measured jobs" if peak.corrected_by_jobs > 1 else ""
    corrected = ", corrected by 1 measured job" if peak.corrected_by_jobs == 1 else corrected
    return f"{likely} ({low} to {high}{corrected})"


def _fit(fit: Fit) -> tuple[Any, ...]:
    from trainyard.cli import words

    needs, has = words.bytes_(fit.needed_bytes), words.bytes_(fit.memory_bytes)
    return fit.device, "yes" if fit.fits else "no", needs, has, f"{fit.largest_batch:,}"


def _print_remedies(fit: Fit) -> None:
    from trainyard.cli import words
    from trainyard.cli.output import console, print_table

    console().print(f"\nWhat would help on {fit.device}, the first thing to try first", style="bold")
    rows = (
        (
            remedy.title,
            words.bytes_(remedy.saves_bytes),
            "yes" if remedy.fits else "no",
            _setting(remedy.change) if remedy.change else "not in the yard yet",
        )
        for remedy in fit.remedies
    )
    print_table(("CHANGE", ">SAVES", "THEN FITS", "HOW"), rows, empty="Nothing does.", stretch="CHANGE")


def _setting(change: dict[str, Any], prefix: str = "") -> str:
    """The `--set` options that make a change."""
    parts = [
        _setting(value, f"{prefix}{name}.") if isinstance(value, dict) else f"--set {prefix}{name}={value}"
        for name, value in change.items()
    ]
    return " ".join(parts)


def _jobs(count: int) -> str:
    return f"{count} job" if count == 1 else f"{count} jobs"


COMMANDS: dict[str, Callable[..., None]] = {"estimate": estimate}
