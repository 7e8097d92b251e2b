"""What every test stands on: real databases, a real broker, settings, people, a clock, and one way to wait."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import hypothesis
import pytest

from ml.kinds import inspect
from records.accounts import Person, create_token, create_user
from records.database import Database
from records.jobs import submit
from records.schema import migrate
from records.settings import Settings
from records.specs import parse_spec
from tests.models import make_model
from tests.postgres_server import PostgresServer, find_binaries, run_postgres
from tests.waiting import eventually as poll_until

hypothesis.settings.register_profile(
    "trainyard", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], print_blob=True
)
hypothesis.settings.load_profile("trainyard")

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Account(NamedTuple):
    """A person of the yard, and a token that stands for them."""

    person: Person
    token: str


class Clock:
    """A time that stands still until a test moves it. Calling it tells the time."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """The time, in UTC."""
        return self.now

    def advance(self, seconds: float) -> datetime:
        """Let time pass, and tell the new time."""
        self.now += timedelta(seconds=seconds)
        return self.now


# ── the machine ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session", autouse=True)
def _no_foreign_settings() -> Iterator[None]:
    """Hide the developer's own yard."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith("TRAINYARD_") or name in ("DATABASE_URL", "REDIS_URL"):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this test process, with a migrated template database."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL binaries here (looked in /usr/lib/postgresql/*/bin and PATH)")
    with run_postgres(binaries) as server:
        _migrate(server.make_empty(server.TEMPLATE))
        yield server


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.sqlite"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def broker_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address, with its password, of an embedded broker that all tests of this process share."""
    from trainyard.broker import EmbeddedBroker

    broker = EmbeddedBroker(tmp_path_factory.mktemp("broker"))
    broker.start()
    try:
        yield broker.url
    finally:
        broker.stop()


@pytest.fixture(scope="session")
def model_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a small model is built from, as a training would keep it."""
    folder = tmp_path_factory.mktemp("model")
    make_model(folder)
    return folder


def _migrate(url: str) -> None:
    database = Database(url)
    try:
        migrate(database)
    finally:
        database.close()


# ── one test's yard ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty, migrated database of this test's own."""
    if request.param == "sqlite":
        path = tmp_path / "yard.sqlite"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), path)
        yield f"sqlite:///{path}"
    else:
        with request.getfixturevalue("postgres_server").copy() as url:
            yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty, migrated database of this test's own."""
    database = Database(database_url)
    try:
        yield database
    finally:
        database.close()


@pytest.fixture
def settings(database_url: str, broker_url: str, tmp_path: Path) -> Settings:
    """Settings of a small, quick yard over this test's database and the shared broker."""
    return Settings(
        database_url=database_url,
        redis_url=broker_url,
        home=tmp_path,
        test_kinds=True,
        child_start="spawn",
        flush_s=0.1,
        lease_s=20.0,
        sweep_s=0.5,
    )


@pytest.fixture
def clock() -> Clock:
    """A time that stands still until the test moves it."""
    return Clock()


@pytest.fixture
def eventually() -> Callable[..., Any]:
    """`eventually(predicate, within_s=10)`: the only way to wait in a test."""
    return poll_until


@pytest.fixture
def admin(database: Database) -> Account:
    """The yard's administrator."""
    return _add_account(database, "admin", "admin")


@pytest.fixture
def member(database: Database) -> Account:
    """Somebody who is not the administrator."""
    return _add_account(database, "ada", "member")


@pytest.fixture
def submit_noop(database: Database, member: Account, clock: Clock) -> Callable[..., int]:
    """`submit_noop(owner=member, **spec fields)`: queue a noop job and return its id."""

    def submit_one(*, owner: Account = member, **fields: Any) -> int:
        spec = parse_spec({"kind": "noop", **fields}, test_kinds=True)
        found = inspect(spec)
        asked = {"demand": found.needs, "threads": spec.threads or found.threads, "parameters": 0}
        with database.write() as session:
            person = owner.person
            actor = f"user:{person.name}"
            return submit(session, spec, owner_id=person.id, actor=actor, at=clock.advance(1), **asked).id

    return submit_one


def _add_account(database: Database, name: str, role: str) -> Account:
    with database.write() as session:
        user = create_user(session, name, role, at=START)
        token = create_token(session, user.id, "for tests", at=START)
        return Account(Person(user.id, name, role), token)
