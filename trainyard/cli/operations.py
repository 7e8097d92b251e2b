"""Commands for whoever runs a yard, on its own machine: init, backup, restore, retention. No API stands between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trainyard.cli.session import FAILED, JsonFlag, complain, settings_of

if TYPE_CHECKING:
    from records.backups import Manifest
    from records.database import Database
    from records.settings import Settings

BackupFolder = Annotated[Path, typer.Argument(help="Folder of the backup.", metavar="FOLDER")]


def init(
    folder: Annotated[Path, typer.Argument(help="An empty or absent folder for the files.", metavar="FOLDER")],
) -> None:
    """Make the secrets of a yard in containers: a file each, never the same twice."""
    from trainyard.init_files import make_secrets

    names = make_secrets(folder)
    typer.echo(
        f"Made {', '.join(names)} in {folder}. Keep the folder to yourself; nothing can make the same ones again."
    )


def backup(context: typer.Context, folder: BackupFolder) -> None:
    """Write every row and every stored file into an empty FOLDER, as they stand at this moment; the yard may go on."""
    from records.backups import make_backup
    from records.blob_store import make_blobs
    from trainyard import __version__

    settings = settings_of(context)
    with _database(settings) as database:
        manifest = make_backup(database, make_blobs(settings), folder, release=__version__)
    typer.echo(f"{_holds(manifest)} They lie in {folder}.")
    if manifest.missing:
        complain(f"{len(manifest.missing)} stored files could not be read and are not in it; manifest.json names them.")
        raise typer.Exit(FAILED)


def restore(
    context: typer.Context,
    folder: BackupFolder,
    check: Annotated[bool, typer.Option("--check", help="Only read the backup and compare its hashes.")] = False,
) -> None:
    """Put a backup into an empty yard and bring it to this release's schema. Nothing is ever overwritten."""
    from records.blob_store import make_blobs
    from records.restoring import check_backup, restore_backup
    from trainyard.home import Home

    if check:
        typer.echo(f"{_holds(check_backup(folder))} It is whole.")
        return
    settings = settings_of(context)
    with Home(settings.home).hold(), _database(settings) as database:
        manifest = restore_backup(database, make_blobs(settings), folder)
    typer.echo(f"{_holds(manifest)} They are in the yard now.")


def retention(
    context: typer.Context,
    days: Annotated[int | None, typer.Option(min=0, help="Instead of TRAINYARD_RETENTION_DAYS; 0: no limit.")] = None,
    most_bytes: Annotated[
        int | None,
        typer.Option("--bytes", min=0, help="Instead of TRAINYARD_RETENTION_BYTES.", metavar="BYTES"),
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Remove them; without this they are only listed.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """List the jobs whose files and logs are to go, by age and by size. The yard's workers do it once an hour."""
    from records.clock import utc_now
    from records.retention import Policy, find_expendable, remove_files
    from trainyard.cli import words
    from trainyard.cli.output import print_json, print_table

    settings = settings_of(context)
    changes = {"retention_days": days, "retention_bytes": most_bytes}
    policy = Policy.of(settings.model_copy(update={k: v for k, v in changes.items() if v is not None}))
    at = utc_now()
    with _database(settings) as database:
        with database.read() as session:
            found = find_expendable(session, policy, at=at)
        if apply:
            with database.write() as session:
                remove_files(session, found, at=at)
    if as_json:
        rows = [each._asdict() | {"finished_at": each.finished_at.isoformat()} for each in found]
        print_json({"applied": apply, "jobs": rows})
        return
    columns = (">JOB", "NAME", "OWNER", "ENDED", ">FILES", ">SIZE", "WHY")
    table = (
        (e.job_id, e.name, e.owner, words.ago(e.finished_at), e.files, words.bytes_(e.size_bytes), e.why) for e in found
    )
    print_table(columns, table, empty="Nothing has to go.", stretch="NAME")
    if found:
        size = words.bytes_(sum(each.size_bytes for each in found))
        said = "were removed; their bytes go within minutes" if apply else "would go; --apply removes them"
        typer.echo(f"Files of {len(found)} jobs, {size}, {said}.")


COMMANDS: dict[str, Callable[..., None]] = {"init": init, "backup": backup, "restore": restore, "retention": retention}


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    from records.database import Database

    if settings.database_url is None:
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(settings.database_address)
    try:
        yield database
    finally:
        database.close()


def _holds(manifest: Manifest) -> str:
    from trainyard.cli import words

    rows = sum(manifest.rows.values())
    return (
        f"{rows:,} rows and {manifest.blobs:,} files ({words.bytes_(manifest.blob_bytes)}) "
        f"of {manifest.made_at:%Y-%m-%d %H:%M} UTC, release {manifest.release}, schema {manifest.revision}."
    )
