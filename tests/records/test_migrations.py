"""From every landed revision, with rows in every table, to the newest: nothing is lost, and the code can read it."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from records import schema
from records.errors import NotAvailable, SchemaNewer
from tests.records.any_rows import fill, rows_of

REVISIONS = sorted(schema.revisions())


@pytest.mark.parametrize("revision", REVISIONS)
def test_rows_of_every_landed_revision_live_on_in_the_newest(empty, revision):
    with schema.migrating(empty) as connection:
        schema.upgrade(connection, revision)
        before = fill(connection)
        assert all(len(rows) == 2 for rows in before.values())
    schema.migrate(empty)
    assert schema.is_at_head(empty)
    with empty.engine.connect() as connection:
        after = rows_of(connection)
        if empty.is_sqlite:
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    for table, rows in before.items():
        kept = set(rows[0]) & set(after[table][0])
        assert kept, table
        assert [{name: row[name] for name in kept} for row in after[table]] == [
            {name: row[name] for name in kept} for row in rows
        ]


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_code_can_read_what_an_old_revision_wrote(empty, revision):
    with schema.migrating(empty) as connection:
        schema.upgrade(connection, revision)
        fill(connection)
    schema.migrate(empty)
    with Session(empty.engine) as session:
        for table in schema.METADATA.sorted_tables:
            rows = session.execute(select(table)).all()
            assert len(rows) in (0, 2), table.name


def test_a_database_of_a_later_release_is_told_in_clear_words(database):
    assert schema.check_head(database) is None
    with database.write() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '0999_the_future'")
    for act in (schema.migrate, schema.check_head):
        with pytest.raises(SchemaNewer, match=r"0999_the_future is of a later release.*up to 0.*Update this part"):
            act(database)


def test_a_database_that_was_not_migrated_yet_is_told_in_clear_words(empty):
    with pytest.raises(NotAvailable, match=r"of nothing yet.*trainyard migrate"):
        schema.check_head(empty)
