"""Transactions, times, settings and bells."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import StatementError

from records import queue
from records.accounts import create_user
from records.events import MetricPoint, Metrics, Progress, format_event, parse_event
from records.schedule import Bell
from records.settings import Settings, child_environment
from records.tables import UserTable

ROOT = Path(__file__).resolve().parents[2]


# ── transactions ─────────────────────────────────────────────────────────────────────────────────────────────


def count_users(database):
    with database.read() as session:
        return session.scalar(text("SELECT count(*) FROM users"))


def test_a_write_that_raises_leaves_nothing(database, clock):
    with pytest.raises(RuntimeError), database.write() as session:  # noqa: PT012
        create_user(session, "ada", "member", at=clock())
        raise RuntimeError
    assert count_users(database) == 0


def test_what_a_reader_changes_is_rolled_back(database, clock):
    with database.read() as session:
        create_user(session, "ada", "member", at=clock())
    assert count_users(database) == 0


def test_writers_wait_for_each_other_and_none_fails_in_its_middle(database, member, race):
    def grow():
        for _ in range(10):
            with database.write() as session:
                session.execute(text("SELECT role FROM users WHERE name = 'ada'" + lock))
                number = int(session.scalar(text("SELECT coalesce(max(name), '0') FROM users WHERE role = 'n'")))
                session.execute(text("DELETE FROM users WHERE role = 'n'"))
                session.add(UserTable(name=f"{number + 1:05}", role="n", created_at=datetime.now(UTC)))

    lock = "" if database.is_sqlite else " FOR UPDATE"
    results = race(grow, grow, grow)
    assert results == [None] * 3
    with database.read() as session:
        assert session.scalar(text("SELECT name FROM users WHERE role = 'n'")) == "00030"


def test_a_reader_is_not_kept_waiting_by_a_writer(database, member):
    with database.write() as session:
        session.execute(text("UPDATE users SET role = 'other'"))
        with database.read() as reader:
            assert reader.scalar(text("SELECT role FROM users")) == "member"


# ── times ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_time_without_its_zone_is_refused(database):
    with pytest.raises(StatementError, match="expected a time with its zone"), database.write() as session:
        create_user(session, "ada", "member", at=datetime(2026, 1, 1))


@pytest.mark.parametrize("hours", [-11, 0, 2, 13])
def test_a_time_survives_its_zone_to_the_microsecond(database, hours):
    moment = datetime(2026, 3, 29, 1, 59, 59, 999_999, tzinfo=timezone(timedelta(hours=hours)))
    with database.write() as session:
        create_user(session, "ada", "member", at=moment)
    with database.read() as session:
        kept = session.query(UserTable).one().created_at
    assert kept == moment
    assert kept.utcoffset() == timedelta(0)


# ── events ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_loss_that_is_no_number_comes_up_the_pipe():
    at = datetime(2026, 1, 1, tzinfo=UTC)
    metrics = Metrics(points=(MetricPoint(name="loss", step=1, value=float("nan"), at=at),))
    progress = Progress(step=1, steps=2, epoch=1, epochs=1, time_left_s=float("inf"), values={"loss": float("nan")})
    assert parse_event(format_event(metrics)).points[0].value is None
    assert parse_event(format_event(progress)).values == {"loss": None}


@pytest.mark.parametrize(
    "line", ["", "{", "[]", '{"event": "unknown"}', '{"event": "stage", "stage": "resting"}', "hello"]
)
def test_a_line_that_is_no_event_is_refused_with_a_value_error(line):
    with pytest.raises(ValueError, match="validation error"):
        parse_event(line)


# ── settings ─────────────────────────────────────────────────────────────────────────────────────────────────

URL = "postgresql://yard:s3cret@db/yard"


def test_the_environment_is_read_by_its_names(monkeypatch, tmp_path):
    for name, value in {
        "TRAINYARD_HOME": str(tmp_path),
        "DATABASE_URL": URL,
        "REDIS_URL": "redis://:s3cret@broker/1",
        "TRAINYARD_DATA": f"{tmp_path}/a:{tmp_path}/b",
        "TRAINYARD_LEASE_S": "7.5",
        "TRAINYARD_BLOBS": "blobs-here",
    }.items():
        monkeypatch.setenv(name, value)
    settings = Settings.from_environment()
    assert settings.home == tmp_path
    assert settings.database_address == "postgresql+psycopg://yard:s3cret@db/yard"
    assert settings.redis_address == "redis://:s3cret@broker/1"
    assert settings.data == (tmp_path / "a", tmp_path / "b")
    assert settings.lease_s == 7.5
    assert settings.blob_folder == Path.cwd() / "blobs-here"


def test_the_yards_own_names_go_before_the_common_ones(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "sqlite:///other")
    monkeypatch.setenv("TRAINYARD_DATABASE_URL", "sqlite:///mine")
    assert Settings.from_environment().database_address == "sqlite:///mine"


def test_empty_variables_count_as_unset(monkeypatch, tmp_path):
    for name in ("DATABASE_URL", "REDIS_URL", "TRAINYARD_LEASE_S", "TRAINYARD_DATA", "TRAINYARD_BLOBS"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("TRAINYARD_HOME", str(tmp_path))
    settings = Settings.from_environment()
    assert settings.database_address == f"sqlite:///{tmp_path}/yard.sqlite"
    assert settings.redis_address == "redis://127.0.0.1:1/0"
    assert (settings.data, settings.lease_s, settings.blob_folder) == ((), 30.0, tmp_path / "blobs")


def test_a_setting_out_of_range_is_refused(monkeypatch):
    monkeypatch.setenv("TRAINYARD_LEASE_S", "-1")
    with pytest.raises(ValueError, match=r"lease_s|LEASE_S"):
        Settings.from_environment()


def test_secrets_are_not_shown(tmp_path):
    settings = Settings(home=tmp_path, database_url=URL, redis_url="redis://:s3cret@broker/1", token="s3cret")
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert "s3cret" not in shown


def test_a_child_sees_no_secret(monkeypatch):
    for name in ("DATABASE_URL", "REDIS_URL", "TRAINYARD_TOKEN", "TRAINYARD_DATABASE_URL", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "s3cret")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    seen = child_environment()
    assert not any("s3cret" in value for value in seen.values())
    assert (seen["CUDA_VISIBLE_DEVICES"], seen["PATH"]) == ("0", os.environ["PATH"])


# ── bells ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_bell_is_heard_on_its_queue(broker_url, tmp_path):
    app = queue.make_celery(Settings(home=tmp_path, redis_url=broker_url))
    name = f"trainyard.worker.{tmp_path.name}"
    assert queue.ring_attempts(app, [Bell(name, 17)])
    with app.connection() as connection, connection.SimpleQueue(name) as heard:
        message = heard.get(timeout=10)
        message.ack()
    assert message.headers["task"] == queue.ATTEMPT_TASK
    assert message.payload[0] == [17]
    app.close()


def test_a_bell_with_the_broker_down_is_lost_and_raises_nothing(tmp_path, caplog):
    settings = Settings(home=tmp_path)
    app = queue.make_celery(settings)
    assert queue.ring_schedule(app) is False
    assert queue.ring_attempts(app, [Bell("q", 1)]) is False
    assert not queue.broker_is_up(settings)
    assert "bell.lost task=trainyard.schedule" in caplog.text
    app.close()


def test_a_bell_with_a_frozen_broker_is_given_up(tmp_path):
    """The address takes connections and never answers; without a socket timeout this would hang for ever."""
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        settings = Settings(home=tmp_path, redis_url=f"redis://:x@127.0.0.1:{frozen.getsockname()[1]}/0")
        app = queue.make_celery(settings)
        answers = []
        ringer = threading.Thread(target=lambda: answers.append(queue.ring_schedule(app)), daemon=True)
        ringer.start()
        ringer.join(timeout=30)
        assert answers == [False]
        assert not queue.broker_is_up(settings)
        app.close()


def test_a_bell_is_heard_again_after_the_broker_was_away(tmp_path, eventually):
    from trainyard.broker import EmbeddedBroker

    broker = EmbeddedBroker(tmp_path / "broker")
    broker.start()
    try:
        settings = Settings(home=tmp_path, redis_url=broker.url)
        app = queue.make_celery(settings)
        assert queue.ring_schedule(app)
        broker.stop()
        assert queue.ring_schedule(app) is False
        broker.start()
        assert eventually(lambda: queue.ring_schedule(app))
        assert queue.broker_is_up(settings)
        app.close()
    finally:
        broker.stop()


def test_importing_records_reads_no_environment_and_opens_nothing(tmp_path):
    code = "import records.database, records.settings, records.queue, records.schema; print('quiet')"
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"TRAINYARD_LEASE_S": "nonsense", "DATABASE_URL": "nonsense", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout.strip(), run.stderr) == (0, "quiet", "")
    assert list(tmp_path.iterdir()) == []
