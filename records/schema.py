"""Bringing the database to the newest schema, once, whichever process comes first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from records.database import Database
from records.errors import NotAvailable, SchemaNewer
from records.model_tables import RegisteredModelTable
from records.people_tables import AuditTable
from records.picture_tables import PictureTable
from records.set_tables import ImageSetTable

METADATA = ImageSetTable.metadata
assert RegisteredModelTable.metadata is PictureTable.metadata is METADATA is AuditTable.metadata
"""Of all tables of the yard: whoever compares it with a database must have imported every one."""
_MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
_LOCK = 7_120_551_926


def migrate(database: Database) -> None:
    """Upgrade to head. Two processes that start together do it once: SQLite and PostgreSQL each lock.

    Raises:
        SchemaNewer: a later release has migrated it further already.
    """
    with migrating(database) as connection:
        upgrade(connection)


@contextmanager
def migrating(database: Database) -> Iterator[Connection]:
    """A transaction in which nobody else migrates; all of it is done, or nothing."""
    with database.engine.connect() as connection:
        if not database.is_sqlite:
            with connection.begin():
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
                yield connection
            return
        connection = connection.execution_options(trainyard_write=True)
        with _without_references(connection), connection.begin():
            yield connection
            _check_references(connection)


@contextmanager
def _without_references(connection: Connection) -> Iterator[None]:
    """Let SQLite drop a table that rows of others point at: to change a column, it is made anew under its name.

    SQLite takes no notice of this pragma within a transaction, so it goes to the driver before one begins.
    """
    driver: Any = connection.connection.dbapi_connection
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def _check_references(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        raise RuntimeError(f"A migration left rows that point at none: {broken[:3]}. Nothing was changed.")


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Upgrade within a transaction of `migrating`.

    Raises:
        SchemaNewer: the database, or the revision asked for, is of a later release.
    """
    for asked in (revision_of(connection), revision):
        if not is_known(asked):
            raise SchemaNewer(newer_text(asked))
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def is_at_head(database: Database) -> bool:
    """Whether the schema is the one that this code expects."""
    with database.engine.connect() as connection:
        return revision_of(connection) == head()


def check_head(database: Database) -> None:
    """See that this code may work with the database.

    Raises:
        SchemaNewer: a later release has migrated it.
        NotAvailable: it is to be migrated first.
    """
    with database.engine.connect() as connection:
        revision = revision_of(connection)
    if not is_known(revision):
        raise SchemaNewer(newer_text(revision))
    if revision != head():
        raise NotAvailable(
            f"The database has the schema {revision or 'of nothing yet'}, this release needs {head()}. "
            "Run `trainyard migrate` first."
        )


def head() -> str:
    """The newest revision that this code knows."""
    return _known()[0]


def revision_of(connection: Connection) -> str | None:
    """The revision of a database; None where nothing was migrated yet."""
    return MigrationContext.configure(connection).get_current_revision()


def is_known(revision: str | None) -> bool:
    """Whether this code has a migration of that name."""
    return revision in (None, "head") or revision in _known()[1]


def newer_text(revision: str | None) -> str:
    """What to say where a revision is unknown here."""
    return (
        f"The schema {revision} is of a later release of Trainyard; this one knows schemas up to {head()}. "
        "Update this part, as those beside it were."
    )


def revisions() -> tuple[str, ...]:
    """Every revision that this code has, the newest first."""
    return _known()[1]


@cache  # workers ask every few seconds, and Alembic reads every file for it
def _known() -> tuple[str, tuple[str, ...]]:
    scripts = ScriptDirectory.from_config(_config())
    return str(scripts.get_current_head()), tuple(script.revision for script in scripts.walk_revisions())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
