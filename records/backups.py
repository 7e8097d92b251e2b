"""Backups: a folder with every row and every blob that one names, as they stood at one moment, with their hashes.

    manifest.json      when, of which release and schema, how many rows, what was missing
    tables/NAME.jsonl.gz
    blobs/ab/abcdef…
    SHA256SUMS         of all of these; written last, so a folder without it is no backup (`sha256sum -c SHA256SUMS`)

A backup of SQLite can be put into PostgreSQL and the other way round. It holds the yard's secrets (hashes of tokens,
the key of the cookies): its files can be read by their owner alone.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, Table

from records.blobs import Blobs
from records.clock import utc_now
from records.database import Database
from records.dropped import are_held, columns_that_name_blobs, hold_blobs, release_blobs
from records.errors import BackupError, BlobUnavailable
from records.schema import revision_of
from records.table_rows import last_ids, read_rows, tables_of

SUMS, MANIFEST = "SHA256SUMS", "manifest.json"
_HELD = timedelta(hours=1)
_RENEW_S = 60.0
FORM = 1


class Manifest(BaseModel):
    """What a backup says of itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    form: int
    made_at: datetime
    release: str
    revision: str
    database: str
    rows: dict[str, int]
    last_ids: dict[str, int]
    blobs: int
    blob_bytes: int
    missing: tuple[str, ...]
    """Addresses that rows name and that could not be read: they were lost or damaged before the backup."""


def make_backup(
    database: Database, blobs: Blobs, folder: Path, *, release: str, clock: Callable[[], datetime] = utc_now
) -> Manifest:
    """Write a backup while the yard may go on. First the rows, in one snapshot; then the blobs that they name.

    Args:
        database: the yard's.
        blobs: the yard's.
        folder: where; it must be empty or absent.
        release: of Trainyard, to be told.
        clock: the time.

    Raises:
        BackupError: the folder holds something, or the database nothing.
        OSError: writing failed; the folder then has no `SHA256SUMS`.
    """
    if folder.exists() and any(folder.iterdir()):
        raise BackupError(f"{folder} is not empty. Name a folder that is empty or absent.")
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    sums: dict[str, str] = {}
    with database.engine.connect() as connection:
        if revision_of(connection) is None:
            raise BackupError("This database holds no yard yet.")
    with database.write() as session:
        if are_held(session, at=clock()):
            raise BackupError(
                "Another backup of this yard is under way. Wait until it has ended; one that broke off lets go within "
                "an hour."
            )
        hold_blobs(session, until=clock() + _HELD)
    try:
        with _snapshot(database) as connection:
            revision = str(revision_of(connection))
            tables = tables_of(connection)
            rows = {table.name: _write_table(connection, table, folder, sums) for table in tables}
            numbers = last_ids(connection, tables)
            named = _named_blobs(connection, tables)
        size, missing = _copy_blobs(database, blobs, named, folder=folder, sums=sums, clock=clock)
    finally:
        with database.write() as session:
            release_blobs(session)
    manifest = Manifest(
        form=FORM,
        made_at=clock(),
        release=release,
        revision=revision,
        database=database.engine.dialect.name,
        rows=rows,
        last_ids=numbers,
        blobs=len(named) - len(missing),
        blob_bytes=size,
        missing=tuple(missing),
    )
    _write(folder / MANIFEST, manifest.model_dump_json(indent=2).encode())
    sums[MANIFEST] = digest_of(folder / MANIFEST)
    _write(folder / SUMS, "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())).encode())
    return manifest


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────


def _snapshot(database: Database) -> Connection:
    """A connection that sees the database as it stands at its first question."""
    if database.is_sqlite:
        return database.engine.connect()
    return database.engine.connect().execution_options(isolation_level="REPEATABLE READ")


def _write_table(connection: Connection, table: Table, folder: Path, sums: dict[str, str]) -> int:
    name = f"tables/{table.name}.jsonl.gz"
    count = 0
    with _create(folder / name) as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as file:
        for line in read_rows(connection, table):
            file.write(line.encode())
            count += 1
    sums[name] = digest_of(folder / name)
    return count


def _named_blobs(connection: Connection, tables: list[Table]) -> list[str]:
    """Every address that a row names, in this snapshot."""
    there = {table.name: table for table in tables}
    found: set[str] = set()
    for table_name, column_name in columns_that_name_blobs():
        if table_name in there:
            column = there[table_name].columns[column_name]
            found |= set(connection.scalars(there[table_name].select().with_only_columns(column).distinct())) - {None}
    return sorted(found)


def _copy_blobs(
    database: Database,
    blobs: Blobs,
    named: list[str],
    *,
    folder: Path,
    sums: dict[str, str],
    clock: Callable[[], datetime],
) -> tuple[int, list[str]]:
    """Copy blobs, each checked against its address: their bytes, and the addresses of those that cannot be read."""
    size, missing, renewed = 0, [], time.monotonic()
    for digest in named:
        name = f"blobs/{digest[:2]}/{digest}"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        try:
            blobs.fetch(digest, folder / name)
            sums[name] = digest
            size += (folder / name).stat().st_size
        except BlobUnavailable:
            missing.append(digest)
        if time.monotonic() - renewed > _RENEW_S:
            with database.write() as session:
                hold_blobs(session, until=clock() + _HELD)
            renewed = time.monotonic()
    return size, missing


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────


def _create(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _write(path: Path, content: bytes) -> None:
    with _create(path) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def digest_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
