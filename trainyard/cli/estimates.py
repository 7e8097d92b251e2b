"""`trainyard estimate`: what a job would cost, before it is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trainyard.cli.session import JsonFlag, connect

if TYPE_CHECKING:
    from trainyard.cli.refining import Refined
    from trainyard.client import Client
    from trainyard.results import Estimate, Fit, Peak


def estimate(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="A JSON file with a spec; - reads standard input.")] = None,
    kind: Annotated[str, typer.Option(help="The job's kind, such as train.")] = "",
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Set a field: --set network.name=lenet5 --set batch_size=64."),
    ] = None,
    refined: Annotated[
        bool, typer.Option("--refined", help="Also trace the step with TensorFlow on this machine: up to a minute.")
    ] = False,
    accuracy: Annotated[
        bool, typer.Option("--accuracy", help="Instead, list measured peaks beside what was estimated for them.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Tell what a job would cost and where it fits; nothing is queued."""
    from trainyard.cli.spec_options import read_spec

    spec = read_spec(file, kind=kind, sets=sets or [])
    if accuracy:
        if spec or refined:
            raise typer.BadParameter("--accuracy is about jobs that have run: leave FILE and other options out.")
        _show_accuracy(context, as_json=as_json)
        return
    if not spec:
        raise typer.BadParameter("Name a FILE with a spec, or say --kind train --set dataset=mnist …")
    client = connect(context)
    found = client.estimate(spec)
    traced = _trace(spec, found, client) if refined else []
    if as_json:
        from trainyard.cli.output import print_json

        shown = found.model_dump(mode="json")
        print_json({**shown, "refined": [one._asdict() for one in traced]} if refined else shown)
    else:
        print_estimate(found, traced)


def _show_accuracy(context: typer.Context, *, as_json: bool) -> None:
    from trainyard.cli.accuracy import print_accuracy
    from trainyard.cli.output import print_json

    found = connect(context).accuracy()
    if as_json:
        print_json(found)
    else:
        print_accuracy(found)


def _trace(spec: dict[str, Any], found: Estimate, client: Client) -> list[Refined]:
    """A refined peak for each kind of device of the yard; for a CPU where there is none."""
    from trainyard.cli.refining import refine

    if spec.get("kind") not in ("train", "finetune"):
        raise typer.BadParameter(f"--refined traces train and finetune, got {spec.get('kind')!r}. Leave it out.")
    kinds = sorted({fit.kind for fit in found.devices}) or ["cpu"]
    dataset = client.dataset(spec["dataset"])
    return [refine(spec, kind=kind, dataset=dataset) for kind in kinds]


def print_estimate(found: Estimate, traced: Sequence[Refined] = ()) -> None:
    """Print it for people."""
    from trainyard.cli.output import console, print_pairs, print_table

    print_pairs([*_facts(found), *map(_refined, traced)])
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


def _refined(traced: Refined) -> tuple[str, str]:
    from trainyard.cli import words

    low, likely, high = map(words.bytes_, (traced.low_bytes, traced.likely_bytes, traced.high_bytes))
    return f"refined, on a {traced.kind.upper()}", f"{likely} ({low} to {high}, traced in {traced.took_s:.0f} s)"


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
