"""Migrations: one head, the same schema as the tables on both databases, whoever migrates and however often."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from records import schema
from records.accounts import create_user

ROOT = Path(__file__).resolve().parents[2]
MIGRATE = "import sys; from records.database import Database; from records.schema import migrate; sys.stdin.read(1); \
d = Database(sys.argv[1]); migrate(d); d.close()"


def test_the_migrations_make_exactly_the_tables_of_the_code(database):
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, schema.METADATA) == []


def test_migrating_twice_changes_nothing_and_loses_nothing(database, clock):
    with database.write() as session:
        create_user(session, "kept", "member", at=clock())
    schema.migrate(database)
    assert schema.is_at_head(database)
    with database.read() as session:
        assert session.scalar(text("SELECT name FROM users")) == "kept"


def test_an_empty_database_is_not_at_head_until_it_is_migrated(empty):
    assert not schema.is_at_head(empty)
    schema.migrate(empty)
    assert schema.is_at_head(empty)
    assert {table.name for table in schema.METADATA.sorted_tables} <= set(inspect(empty.engine).get_table_names())


def test_processes_that_start_together_migrate_once(empty, empty_url):
    command_line = [sys.executable, "-c", MIGRATE, empty_url]
    racers = [
        subprocess.Popen(command_line, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for racer in racers:
        racer.stdin.write("!")
        racer.stdin.flush()
    errors = [racer.communicate(timeout=120)[1] for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0, 0, 0], errors
    assert schema.is_at_head(empty)


def test_the_migrations_can_be_taken_back_to_nothing_and_made_again(empty):
    schema.migrate(empty)
    with empty.engine.connect() as connection:
        if empty.is_sqlite:
            connection = connection.execution_options(trainyard_write=True)
        with connection.begin():
            config = schema._config()
            config.attributes["connection"] = connection
            command.downgrade(config, "base")
    assert set(inspect(empty.engine).get_table_names()) <= {"alembic_version"}
    schema.migrate(empty)
    assert schema.is_at_head(empty)


def test_a_migration_that_fails_leaves_the_database_as_it_was(empty):
    with empty.write() as session:
        session.execute(text("CREATE TABLE yard (odd INTEGER)"))  # in the way of the first migration
    with pytest.raises(Exception, match="yard"):
        schema.migrate(empty)
    assert inspect(empty.engine).get_table_names() == ["yard"]
    assert not schema.is_at_head(empty)


def test_alembic_finds_nothing_left_to_write(database_url):
    """What `alembic check` says from a checkout, with the address from the environment."""
    run = subprocess.run(
        [sys.executable, "-m", "alembic", "check"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
