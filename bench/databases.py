"""Empty, migrated databases to measure on: SQLite always, PostgreSQL where its binaries are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.setting import CannotMeasure
from records.database import Database
from records.schema import migrate
from tests.postgres_server import find_binaries, run_postgres

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
KINDS = (SQLITE, POSTGRESQL)

_AS_SHIPPED = ("shared_buffers=128MB",)
"""PostgreSQL's own default: unlike in tests, every commit waits for the disk, as it would in a yard."""


@contextmanager
def run_database(kind: str, folder: Path) -> Iterator[str]:
    """The address of an empty, migrated database, gone at the end.

    Raises:
        CannotMeasure: PostgreSQL is wanted and not installed.
    """
    if kind == SQLITE:
        folder.mkdir(parents=True, exist_ok=True)
        yield _migrated(f"sqlite:///{folder / 'yard.sqlite'}")
        return
    binaries = find_binaries()
    if binaries is None:
        raise CannotMeasure("PostgreSQL was not measured: no binaries in /usr/lib/postgresql/*/bin or PATH.")
    with run_postgres(binaries, settings=_AS_SHIPPED) as server:
        yield _migrated(server.make_empty("yard"))


def _migrated(url: str) -> str:
    database = Database(url)
    try:
        migrate(database)
    finally:
        database.close()
    return url
