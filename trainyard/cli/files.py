"""Commands on what a job left: logs, artifacts, download."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trainyard.cli.session import JobId, JsonFlag, NewestJobId, choose_job, complain, connect

if TYPE_CHECKING:
    from trainyard.client import Client
    from trainyard.results import Artifact

_LEVEL_STYLES = {"warning": "yellow", "error": "red"}


def logs(
    context: typer.Context,
    job_id: NewestJobId = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job has finished.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Print a job's log. With --json one line of JSON a line."""
    from rich.text import Text

    from trainyard.cli.output import console, print_json_line

    client = connect(context)
    job = choose_job(client, job_id)
    for line in client.logs(job.id, follow=follow):
        if as_json:
            print_json_line(line)
        else:
            at = f"{line.at.astimezone():%H:%M:%S} "
            console().print(Text.assemble((at, "dim"), (line.text, _LEVEL_STYLES.get(line.level, ""))), soft_wrap=True)


def artifacts(context: typer.Context, job_id: NewestJobId = None, as_json: JsonFlag = False) -> None:
    """List the files that a job kept."""
    from trainyard.cli.output import print_json

    client = connect(context)
    found = list(client.artifacts(choose_job(client, job_id).id))
    if as_json:
        print_json(found)
    else:
        print_artifacts(found)


def download(
    context: typer.Context,
    job_id: JobId,
    names: Annotated[list[str] | None, typer.Argument(help="Names of artifacts.", metavar="NAME…")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every artifact but checkpoints.")] = False,
    folder: Annotated[Path, typer.Option("--output", "-o", help="Folder to put them in.")] = Path(),
    as_json: JsonFlag = False,
) -> None:
    """Download artifacts, checked against their SHA-256. An interrupted download is taken up again."""
    from trainyard.cli.output import print_json

    if bool(names) == everything:
        raise typer.BadParameter("Name the artifacts, or say --all. `trainyard artifacts` lists them.")
    client = connect(context)
    wanted = names or [a.name for a in client.artifacts(job_id) if a.kind != "checkpoint"]
    folder.mkdir(parents=True, exist_ok=True)
    paths = [_download(client, job_id, name, folder, quiet=as_json) for name in wanted]
    if as_json:
        print_json({"files": [str(path) for path in paths]})
    elif not paths:
        complain(f"job {job_id} has kept nothing yet.")


COMMANDS: dict[str, Callable[..., None]] = {"logs": logs, "artifacts": artifacts, "download": download}


def print_artifacts(found: list[Artifact]) -> None:
    """Print a table of artifacts."""
    from trainyard.cli import words
    from trainyard.cli.output import print_table

    rows: Any = ((a.name, a.kind, words.bytes_(a.size_bytes), a.media_type) for a in found)
    print_table(("NAME", "KIND", ">SIZE", "TYPE"), rows, empty="Nothing kept yet.", stretch="TYPE")


def _download(client: Client, job_id: int, name: str, folder: Path, *, quiet: bool) -> Path:
    from trainyard.cli import words
    from trainyard.cli.output import console

    path = client.download(job_id, name, folder)
    if not quiet:
        console().print(f"{path}  {words.bytes_(path.stat().st_size)}", soft_wrap=True)
    return path
