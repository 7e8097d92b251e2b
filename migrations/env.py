"""Runs migrations over a connection that `records.schema.migrate` hands in, or over DATABASE_URL for `alembic`."""

from alembic import context

from records.database import Database
from records.schema import METADATA, migrating
from records.settings import Settings


def _run(connection) -> None:
    context.configure(
        connection=connection, target_metadata=METADATA, render_as_batch=True, compare_server_default=True
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    with migrating(Database(Settings.from_environment().database_address)) as own:
        _run(own)
