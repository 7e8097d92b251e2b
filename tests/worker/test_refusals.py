"""A worker of another release than the database's: it says so in clear words and stops."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from records.database import Database
from records.settings import Settings
from tests.worker.process import WorkerProcess
from worker import housekeeping
from worker.housekeeping import keep_house


def set_revision(database: Database, revision: str) -> None:
    """Let another release have migrated the database."""
    with database.write() as session:
        session.connection().exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")


@pytest.mark.parametrize(
    ("revision", "word"),
    [
        ("0999_the_future", "is of a later release of Trainyard"),
        ("0001", "Run `trainyard migrate` first"),
    ],
)
def test_a_worker_does_not_start_on_another_releases_schema(
    database: Database, settings: Settings, revision: str, word: str
) -> None:
    set_revision(database, revision)
    worker = WorkerProcess(settings)
    assert worker.process.wait(60) == 1
    (line,) = [line for line in worker.log.read_text().splitlines() if "worker.refused" in line]
    assert word in line
    with database.read() as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM workers").scalar() == 0


def test_a_worker_stops_when_the_yard_was_upgraded_around_it(
    place: Any, database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    killed = []
    monkeypatch.setattr(housekeeping.os, "kill", lambda *args: killed.append(args))
    keep_house(place, lambda: None)
    assert killed == []
    set_revision(database, "0999_the_future")
    seen = last_seen(database)
    keep_house(place, lambda: None)
    assert killed == [(os.getpid(), signal.SIGTERM)]
    assert "worker.outdated code=schema_newer: The schema 0999_the_future is of a later release" in caplog.text
    assert last_seen(database) == seen, "it writes nothing more"


def last_seen(database: Database) -> Any:
    """When the database heard of the worker."""
    with database.read() as session:
        return session.connection().exec_driver_sql("SELECT seen_at FROM workers").scalar()
