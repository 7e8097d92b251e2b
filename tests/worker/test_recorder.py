"""What an attempt says reaches the database once, whole, and only while the attempt is open."""

from __future__ import annotations

import pytest

from records.attempts import claim
from records.clock import utc_now
from records.database import Database
from records.errors import LeaseLost
from records.events import Facts, Log, MetricPoint, Metrics, Progress, Stage
from records.retries import Outcome
from worker.batch import MOST_POINTS, Batch
from worker.recorder import Recorder


@pytest.fixture
def claimed(place, place_job):
    """A claimed attempt."""
    _, attempt_id = place_job()
    with place.database.write() as session:
        return claim(session, attempt_id, place.row, lease_s=5, at=utc_now())


@pytest.fixture
def recorder(place, claimed):
    """The recorder of that attempt."""
    return Recorder(place.database, claimed, actor=place.actor, lease_s=5, clock=utc_now)


def _points(*steps: int, name: str = "loss") -> Metrics:
    return Metrics(points=tuple(MetricPoint(name=name, step=s, value=s / 2, at=utc_now()) for s in steps))


def test_one_flush_writes_all_that_was_said(recorder, claimed, yard):
    recorder.take(_points(1, 2, 3))
    recorder.take(Log(text="hello"))
    recorder.take(Stage(stage="training"))
    recorder.take(Progress(step=1, steps=4, epoch=1, epochs=1, values={"loss": 0.5}))
    recorder.take(Facts(facts={"seed": 3}))
    assert recorder.flush().cancel is False
    job = yard.job(claimed.job_id)
    assert job.progress == 0.25
    assert (job.live["stage"], job.live["values"]) == ("training", {"loss": 0.5})
    assert yard.steps(claimed.job_id) == [1, 2, 3]
    assert yard.log(claimed.job_id) == "hello"
    assert yard.run(claimed.job_id).facts == {"seed": 3}


def test_an_empty_flush_leaves_the_version_of_the_job_alone(recorder, claimed, yard):
    version = yard.job(claimed.job_id).version
    recorder.flush()
    assert yard.job(claimed.job_id).version == version


def test_after_the_end_nothing_can_be_written(recorder, claimed, yard):
    recorder.finish(Outcome.succeeded())
    recorder.take(_points(1))
    with pytest.raises(LeaseLost):
        recorder.flush()
    with pytest.raises(LeaseLost):
        recorder.finish(Outcome.failed("recipe_failed", "no"))
    assert yard.steps(claimed.job_id) == []
    assert yard.job(claimed.job_id).status == "succeeded"


def test_what_the_database_refuses_is_dropped_and_the_log_says_so(recorder, claimed, yard):
    recorder.started(pid=10**30)
    recorder.take(_points(7))
    recorder.flush()
    recorder.take(_points(1))
    recorder.flush()
    assert yard.steps(claimed.job_id) == [1]
    assert "refused" in yard.log(claimed.job_id)


def test_what_cannot_be_written_in_an_outage_is_written_later(place, recorder, claimed, yard, monkeypatch):
    recorder.take(_points(1, 2))
    with monkeypatch.context() as patch:
        patch.setattr(place.database, "_writer", _broken_engine())
        with pytest.raises(Exception, match="unable to open"):
            recorder.flush()
    recorder.take(_points(3))
    recorder.flush()
    assert yard.steps(claimed.job_id) == [1, 2, 3]


def test_a_batch_is_bounded():
    batch = Batch()
    point = _points(1).points[0]
    assert batch.absorb(Batch(points=[point] * MOST_POINTS))
    assert not batch.absorb(Batch(points=[point]))
    assert len(batch.points) == MOST_POINTS


def _broken_engine():
    return Database("sqlite:////nowhere/at/all.sqlite").engine
