"""A broker that is killed and comes back, while a worker is at work."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from records.queue import make_celery
from records.settings import Settings
from tests.worker.conftest import Yard
from trainyard.broker import EmbeddedBroker


@pytest.fixture
def broker(tmp_path) -> Iterator[EmbeddedBroker]:
    """A broker of this test's own."""
    broker = EmbeddedBroker(tmp_path / "broker")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def own_settings(settings: Settings, broker: EmbeddedBroker) -> Settings:
    """The settings, with that broker."""
    return settings.model_copy(update={"redis_url": SecretStr(broker.url)})


@pytest.fixture
def own_yard(yard: Yard, own_settings: Settings, submit_noop) -> Iterator[Yard]:
    """The yard, with that broker."""
    bells = make_celery(own_settings)
    yield Yard(yard.database, bells, submit_noop)
    bells.close()


def test_a_running_job_and_later_jobs_survive_a_killed_broker(own_yard, own_settings, start_worker, broker):
    worker = start_worker(own_settings)
    running = own_yard.submit(steps=60, step_s=0.05)
    attempt = own_yard.under_way(running)
    os.kill(broker.pid, signal.SIGKILL)
    broker.stop()
    unheard = own_yard.submit(steps=2)
    assert own_yard.finished(running).status == "succeeded"
    broker.start()
    assert own_yard.finished(unheard, within_s=60).status == "succeeded"
    assert own_yard.finished(own_yard.submit(steps=2), within_s=60).status == "succeeded"
    assert [a.id for a in own_yard.attempts(running)] == [attempt.id]
    assert own_yard.steps(running) == list(range(1, 61))
    assert worker.process.poll() is None
    password = urlsplit(broker.url).password
    assert password
    assert password not in worker.log.read_text()


def test_a_worker_stops_in_good_order_while_the_broker_is_away(own_yard, own_settings, start_worker, broker):
    worker = start_worker(own_settings)
    job_id = own_yard.submit(steps=2_000, step_s=0.05)
    own_yard.under_way(job_id)
    os.kill(broker.pid, signal.SIGKILL)
    broker.stop()
    assert worker.stop() == 0
    assert own_yard.job(job_id).status == "queued"
    assert own_yard.attempts(job_id)[-1].status == "interrupted"
