"""Commands on jobs: submit, list, show, watch, cancel, retry."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trainyard.cli.session import FAILED, JobId, JsonFlag, NewestJobId, choose_job, connect

if TYPE_CHECKING:
    from trainyard.client import Client
    from trainyard.results import Job


def submit(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="A JSON file with a spec; - reads standard input.")] = None,
    kind: Annotated[str, typer.Option(help="The job's kind, such as train.")] = "",
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Set a field: --set network.name=lenet5 --set epochs=3."),
    ] = None,
    key: Annotated[str, typer.Option(help="Idempotency key: the same key and spec make one job.")] = "",
    watch_it: Annotated[bool, typer.Option("--watch", "-w", help="Watch it until it has finished.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Send a job: a FILE, or --kind and --set, or a file with some fields set anew."""
    from trainyard.cli.spec_options import read_spec

    spec = read_spec(file, kind=kind, sets=sets or [])
    if not spec:
        raise typer.BadParameter("Name a FILE with a spec, or say --kind train --set dataset=mnist …")
    send(context, spec, key=key, watch_it=watch_it, as_json=as_json)


def list_jobs(
    context: typer.Context,
    status: Annotated[list[str] | None, typer.Option(help="Only jobs at this status; may be repeated.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only jobs of this kind.")] = None,
    name: Annotated[str | None, typer.Option(help="Only jobs with this in their name.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Only jobs with this tag; repeated: with all of them.")] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Only my own jobs.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 30,
    as_json: JsonFlag = False,
) -> None:
    """List jobs, the newest first."""
    from trainyard.cli import words
    from trainyard.cli.output import print_json, print_table, status_text

    found = list(connect(context).list(status=status, kind=kind, name=name, tag=tag, mine=mine, limit=limit))
    if as_json:
        print_json(found)
        return
    tagged = any(job.tags for job in found)
    rows = (
        (
            job.id,
            job.title,
            status_text(job.status),
            _standing(job),
            words.ago(job.created_at),
            *([" ".join(job.tags)] if tagged else []),
            job.owner,
        )
        for job in found
    )
    columns = (">JOB", "NAME", "STATUS", "STANDING", "SUBMITTED", *(["TAGS"] if tagged else []), "OWNER")
    print_table(columns, rows, empty="No job yet. `trainyard submit` sends one.", stretch="NAME")


def show(context: typer.Context, job_id: NewestJobId = None, as_json: JsonFlag = False) -> None:
    """Show a job: where it stands, why, what became of it, and what was asked."""
    from trainyard.cli.job_sheet import print_job
    from trainyard.cli.output import print_json

    job = choose_job(connect(context), job_id)
    if as_json:
        print_json(job)
    else:
        print_job(job)


def watch(context: typer.Context, job_id: NewestJobId = None, as_json: JsonFlag = False) -> None:
    """Watch a job until it has finished; Ctrl-C leaves it running. With --json one line a change."""
    client = connect(context)
    _watch(client, choose_job(client, job_id), as_json=as_json)


def cancel(context: typer.Context, job_id: JobId, as_json: JsonFlag = False) -> None:
    """Cancel a waiting job, or ask a running one to stop."""
    job = connect(context).cancel(job_id)
    _tell(job, "is asked to stop" if job.status == "running" else f"is {job.status}", as_json=as_json)


def retry(context: typer.Context, job_id: JobId, as_json: JsonFlag = False) -> None:
    """Try a failed or cancelled job again; it goes on from its last checkpoint."""
    job = connect(context).retry(job_id)
    _tell(job, f"is {job.status} again", as_json=as_json)


COMMANDS: dict[str, Callable[..., None]] = {
    "submit": submit,
    "list": list_jobs,
    "show": show,
    "watch": watch,
    "cancel": cancel,
    "retry": retry,
}


def send(context: typer.Context, spec: dict[str, Any], *, key: str = "", watch_it: bool, as_json: bool) -> None:
    """Submit a spec, then watch the job, or print it as JSON, or say how to watch it."""
    client = connect(context)
    follow_up(client, client.submit(spec, idempotency_key=key or None), watch_it=watch_it, as_json=as_json)


def follow_up(client: Client, job: Job, *, watch_it: bool, as_json: bool) -> None:
    """What is told of a job that was just sent; with `watch_it`, until it has finished."""
    from trainyard.cli.output import console, print_json

    if watch_it:
        _watch(client, job, as_json=as_json)
    elif as_json:
        print_json(job)
    else:
        console().print(f"Submitted job {job.id}: {job.title}. Watch it with: trainyard watch {job.id}")


def _watch(client: Client, job: Job, *, as_json: bool) -> None:
    from trainyard.cli.output import console, print_json_line
    from trainyard.cli.watching import print_ending, watch_job

    if as_json:
        for update in client.watch(job.id):
            print_json_line(update)
            job = update
    else:
        job = watch_job(client, job.id, console())
        print_ending(job, console())
    if job.status != "succeeded":
        raise typer.Exit(FAILED)


def _tell(job: Job, what: str, *, as_json: bool) -> None:
    from trainyard.cli.output import console, print_json

    if as_json:
        print_json(job)
    else:
        console().print(f"Job {job.id} {what}.")


def _standing(job: Job) -> Any:
    """The few words that matter at its status."""
    from trainyard.cli import words

    if job.status == "queued":
        return f"place {job.place_in_queue}" if job.place_in_queue else ""
    if job.status == "running":
        return f"{job.progress:.0%} {words.span(job.time_left_s)}".strip()
    if job.status == "succeeded":
        accuracy = job.summary.get("test/accuracy", job.summary.get("val/accuracy"))
        return f"accuracy {words.value(accuracy)}" if accuracy is not None else ""
    return job.reason.code if job.reason else ""
