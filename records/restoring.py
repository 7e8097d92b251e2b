"""Backups read again: checked byte by byte, and put into an empty yard."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

from sqlalchemy import Connection, Table, inspect

from records.backups import FORM, MANIFEST, SUMS, Manifest, digest_of
from records.blobs import Blobs
from records.database import Database
from records.errors import BackupError
from records.schema import is_known, migrating, newer_text, upgrade
from records.table_rows import go_on_after, tables_of, write_rows

_LISTED = re.compile(
    r"([0-9a-f]{64})  (manifest\.json|tables/[a-z_0-9]+\.jsonl\.gz|blobs/([0-9a-f]{2})/(\3[0-9a-f]{62}))"
)


def check_backup(folder: Path) -> Manifest:
    """Read every byte of a backup and compare its hash.

    Raises:
        BackupError: it is not whole, is damaged, or is of a later release; the text names the files.
    """
    wrong = []
    listed = _read_sums(folder)
    for name, digest in listed.items():
        try:
            found = digest_of(folder / name)
        except OSError:
            found = "missing"
        if found != digest:
            wrong.append(f"{name} is {'missing' if found == 'missing' else 'damaged'}")
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise BackupError(f"The backup {folder} is not what was written: {'; '.join(wrong[:3])}{more}. Take another.")
    manifest = _read_manifest(folder)
    tables = {f"tables/{name}.jsonl.gz" for name in manifest.rows}
    if not tables <= listed.keys():
        raise BackupError(f"{folder / SUMS} does not list every table. Take another backup.")
    return manifest


def restore_backup(database: Database, blobs: Blobs, folder: Path) -> Manifest:
    """Put a backup into an empty yard and bring it to this release's schema. Of the database, all is done or nothing.

    Raises:
        BackupError: the backup is damaged, or the database holds something already; nothing was changed.
        DiskFull, BlobUnavailable: the blobs could not be stored; the database is as it was.
    """
    manifest = check_backup(folder)
    with migrating(database) as connection:
        _check_empty(connection)
        for name, digest in _read_sums(folder).items():
            if name.startswith("blobs/") and blobs.put_file(folder / name).sha256 != digest:
                raise BackupError(f"{folder / name} has changed while it was read. Nothing was restored.")
        upgrade(connection, manifest.revision)
        tables = tables_of(connection)
        for table in tables:
            _clear(connection, table)
        for table in tables:
            _restore_table(connection, table, folder, manifest)
        go_on_after(connection, tables, manifest.last_ids)
        upgrade(connection)
    return manifest


def _read_sums(folder: Path) -> dict[str, str]:
    try:
        lines = (folder / SUMS).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BackupError(f"{folder} is no whole backup: it has no {SUMS} that can be read.") from error
    found = [_LISTED.fullmatch(line) for line in lines]
    listed = {match[2]: match[1] for match in found if match is not None}
    if len(listed) != len(lines) or MANIFEST not in listed:
        raise BackupError(f"{folder / SUMS} is damaged. Take another backup.")
    if any(match is not None and match[4] not in (None, match[1]) for match in found):
        raise BackupError(f"{folder / SUMS} is damaged: a blob's name is not its hash. Take another backup.")
    return listed


def _read_manifest(folder: Path) -> Manifest:
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except ValueError as error:
        raise BackupError(f"{folder / MANIFEST} cannot be read by this release: {error}") from error
    if manifest.form != FORM or not is_known(manifest.revision):
        raise BackupError(f"The backup {folder} cannot be read. {newer_text(manifest.revision)}")
    return manifest


def _check_empty(connection: Connection) -> None:
    tables = inspect(connection).get_table_names()
    if tables:
        raise BackupError(
            f"This database holds {len(tables)} tables already. A backup goes only into an empty one: name another "
            "with DATABASE_URL, or another --home. Nothing was changed."
        )


def _clear(connection: Connection, table: Table) -> None:
    """What a migration put there itself is in the backup too."""
    connection.execute(table.delete())


def _restore_table(connection: Connection, table: Table, folder: Path, manifest: Manifest) -> None:
    with gzip.open(folder / f"tables/{table.name}.jsonl.gz", "rt", encoding="utf-8") as file:
        count = write_rows(connection, table, file)
    if count != manifest.rows[table.name]:
        raise BackupError(f"Of {table.name}, {count} rows came instead of {manifest.rows[table.name]}.")
