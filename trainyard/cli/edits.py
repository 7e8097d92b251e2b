"""Commands that build on a job that was sent: note, tag, clone, compare, export."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trainyard.cli.jobs import follow_up
from trainyard.cli.session import JobId, JsonFlag, connect

if TYPE_CHECKING:
    from trainyard.results import ComparedField, ComparedNumber, Comparison, Job

WatchFlag = Annotated[bool, typer.Option("--watch", "-w", help="Watch it until it has finished.")]
TAG_SETTINGS = {"ignore_unknown_options": True, "help_option_names": ["--help"]}
"""For a word such as -bad, which would otherwise be taken for options."""


def note(
    context: typer.Context,
    job_id: JobId,
    text: Annotated[str, typer.Argument(help="Plain text; an empty one takes the note away.")],
    name: Annotated[str | None, typer.Option(help="A new title, too.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write a note on a job."""
    changes: dict[str, Any] = {"note": text or None}
    if name is not None:
        changes["name"] = name
    _tell(connect(context).edit(job_id, **changes), "has its note" if text else "has no note", as_json=as_json)


def tag(
    context: typer.Context,
    job_id: JobId,
    words: Annotated[list[str], typer.Argument(help="+TAG adds one, -TAG takes one away.", metavar="+TAG|-TAG…")],
    as_json: JsonFlag = False,
) -> None:
    """Add tags to a job and take others away: trainyard tag 7 +good -bad."""
    for word in words:
        if word[0] not in "+-" or len(word) < 2:
            raise typer.BadParameter(f"Expected +TAG or -TAG, such as +good, got {word!r}.")
    add = [word[1:] for word in words if word[0] == "+"]
    job = connect(context).tag(job_id, add, [word[1:] for word in words if word[0] == "-"])
    _tell(job, f"is tagged {' '.join(job.tags)}" if job.tags else "has no tags", as_json=as_json)


def clone(
    context: typer.Context,
    job_id: JobId,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a field: --set learning_rate=0.01."),
    ] = None,
    watch_it: WatchFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Send a job's spec again with some fields changed; KEY=null lets a field's default hold."""
    from trainyard.cli.spec_options import read_changes

    client = connect(context)
    follow_up(client, client.clone(job_id, read_changes(sets or [])), watch_it=watch_it, as_json=as_json)


def export(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="A job's number, or a registered model.", metavar="JOB|MODEL")],
    formats: Annotated[str, typer.Option("--format", help="Of keras, savedmodel, tflite, onnx, with commas.")] = "onnx",
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Set another field: --set tflite_weights=int8."),
    ] = None,
    watch_it: WatchFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Write a run's model in formats that other programs read, each file proved on real images."""
    from trainyard.cli.spec_options import set_values

    spec: dict[str, Any] = {
        "kind": "export",
        "run": int(run) if run.isascii() and run.isdigit() else run,
        "formats": [name.strip() for name in formats.split(",") if name.strip()],
    }
    set_values(spec, sets)
    client = connect(context)
    follow_up(client, client.submit(spec), watch_it=watch_it, as_json=as_json)


def compare(
    context: typer.Context,
    job_ids: Annotated[list[int], typer.Argument(help="Two to ten jobs.", metavar="JOB JOB…", min=1)],
    everything: Annotated[bool, typer.Option("--all", help="Also what is the same in all.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show jobs side by side: what differs in their specs, and which did best."""
    from trainyard.cli.output import print_json

    found = connect(context).compare(job_ids)
    if as_json:
        print_json(found)
    else:
        _print_comparison(found, everything=everything)


COMMANDS: dict[str, Callable[..., None]] = {"note": note, "clone": clone, "compare": compare, "export": export}


# ── printing ─────────────────────────────────────────────────────────────────────────────────────────────────


def _print_comparison(found: Comparison, *, everything: bool) -> None:
    from trainyard.cli import words
    from trainyard.cli.output import print_table, status_text

    jobs = found.jobs
    rows: list[list[Any]] = [
        ["title", *(job.title for job in jobs)],
        ["status", *(status_text(job.status) for job in jobs)],
        ["tags", *(" ".join(job.tags) for job in jobs)],
        ["parameters", *(f"{job.parameters:,}" if job.parameters else "" for job in jobs)],
        ["device", *(job.device or "" for job in jobs)],
        ["ran", *(words.span(job.ran_s) for job in jobs)],
        ["peak", *(words.bytes_(job.peak_bytes) if job.peak_bytes else "" for job in jobs)],
    ]
    rows += [_number(row) for row in found.numbers]
    rows += [_field(row) for row in found.differs]
    if everything:
        rows += [_field(row) for row in found.same]
    shown = [row for row in rows if any(str(cell) for cell in row[1:])]
    print_table(("", *(f"#{job.id}" for job in jobs)), shown, empty="", stretch="")


def _number(row: ComparedNumber) -> list[Any]:
    """The best ones with a star, so that it is seen without colours too."""
    from trainyard.cli import words

    values = ["" if value is None else words.value(value) for value in row.values]
    return [row.name, *(f"{value} *" if place in row.best else value for place, value in enumerate(values))]


def _field(row: ComparedField) -> list[Any]:
    return [row.path, *(_shown(value) for value in row.values)]


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else "–" if value is None else json.dumps(value, ensure_ascii=False)


def _tell(job: Job, what: str, *, as_json: bool) -> None:
    from trainyard.cli.output import console, print_json

    if as_json:
        print_json(job)
    else:
        console().print(f"Job {job.id} {what}.")
