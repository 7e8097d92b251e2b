"""The application over a real database and broker, callers with tokens, and a job that has run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask

from api.app import create_app
from api.yard import the_yard
from records import attempts, runs
from records.accounts import create_token, create_user
from records.blobs import FolderBlobs
from records.database import Database
from records.retries import Outcome
from records.settings import Settings
from records.workers import FoundDevice, register
from tests.api.calling import Caller, Yardhand


@pytest.fixture
def app(settings: Settings, database: Database, clock: Any) -> Iterator[APIFlask]:
    """The application over this test's database; its clock stands still."""
    app = create_app(settings, clock=clock)
    yield app
    the_yard(app).database.close()


@pytest.fixture
def make_app(database: Database, settings: Settings, clock: Any) -> Iterator[Callable[..., APIFlask]]:
    """`make_app(**settings)`: an application with other settings over the same database."""
    made: list[APIFlask] = []

    def make(**changes: Any) -> APIFlask:
        made.append(create_app(settings.model_copy(update=changes), clock=clock))
        return made[-1]

    yield make
    for app in made:
        the_yard(app).database.close()


@pytest.fixture
def ada(app: APIFlask, member: Any) -> Caller:
    """A member, who owns the jobs of `submit_noop`."""
    return Caller(app, member.token)


@pytest.fixture
def root(app: APIFlask, admin: Any) -> Caller:
    """The administrator."""
    return Caller(app, admin.token)


@pytest.fixture
def bob(app: APIFlask, database: Database, clock: Any) -> Caller:
    """Another member."""
    with database.write() as session:
        user = create_user(session, "bob", "member", at=clock())
        return Caller(app, create_token(session, user.id, "for tests", at=clock()))


@pytest.fixture
def nobody(app: APIFlask) -> Caller:
    """Somebody without a token."""
    return Caller(app)


@pytest.fixture
def hand(database: Database, settings: Settings, clock: Any) -> Yardhand:
    """A worker with one device, played by the test."""
    device = FoundDevice("cpu:0", "cpu", 0, model="Test CPU", memory_bytes=1_200_000_000, threads=2, slots=2)
    with database.write() as session:
        worker = register(session, "w1", host="h", pid=7, version="0", devices=[device], at=clock())
    return Yardhand(database, FolderBlobs(settings.blob_folder), clock, worker)


@pytest.fixture
def ran(hand: Yardhand, submit_noop: Callable[..., int], tmp_path: Path, clock: Any) -> int:
    """A job of ada's that has run: two attempts, points, lines, files. It has succeeded."""
    job_id = submit_noop(name="a job that ran", steps=3)
    hand.end(hand.take_up(), Outcome.interrupted("Its worker was stopped."))
    clock.advance(60)
    claim = hand.take_up()
    hand.write_points(claim, "loss", {step: 1.0 / step for step in range(1, 101)})
    hand.write_points(claim, "val/accuracy", {50: 0.5, 100: None})
    hand.write_lines(claim, "first line", "second line")
    hand.keep(claim, "history.csv", b"epoch,loss\n1,0.5\n", "text/csv", tmp_path)
    with hand.database.write() as session:
        attempts.note_child(session, claim.attempt_id, pid=4321, first_step_at=clock())
        runs.note_run(session, claim.run_id, summary={"test/accuracy": 0.99})
    hand.end(claim)
    return job_id
