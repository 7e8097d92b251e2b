"""Bringing the database to the newest schema, once, whichever process comes first."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from records.database import Database
from records.model_tables import RegisteredModelTable
from records.people_tables import AuditTable
from records.set_tables import ImageSetTable

METADATA = ImageSetTable.metadata
assert RegisteredModelTable.metadata is METADATA is AuditTable.metadata
"""Of all tables of the yard: whoever compares it with a database must have imported every one."""
_MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
_LOCK = 7_120_551_926


def migrate(database: Database) -> None:
    """Upgrade to head. Two processes that start together do it once: SQLite and PostgreSQL each lock."""
    with database.engine.connect() as connection:
        if database.is_sqlite:
            connection = connection.execution_options(trainyard_write=True)
        with connection.begin():
            if not database.is_sqlite:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def is_at_head(database: Database) -> bool:
    """Whether the schema is the one that this code expects."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
