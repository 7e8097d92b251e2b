"""Expected starts and promises on record, and what came of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from records.promises import list_outcomes
from records.retries import Outcome
from records.tables import JobTable, PromiseTable, WorkerTable

HOUR = 3600


def promise(yard, job_id):
    (found,) = yard.rows(select(PromiseTable).where(PromiseTable.job_id == job_id)) or [None]
    return found


def tell_time_left(yard, job_id, seconds):
    """As a running recipe does."""
    live = {"stage": "training", "time_left_s": seconds}
    with yard.database.write() as session:
        session.execute(update(JobTable).where(JobTable.id == job_id).values(live=live))


@pytest.fixture
def waiting(yard):
    """A job that waits for another, which has an hour to go: its number, and the claim of the other."""
    claim = yard.start(yard.register())
    tell_time_left(yard, claim.job_id, HOUR)
    job_id = yard.submit()
    yard.run_pass()
    return job_id, claim


def test_a_job_that_starts_at_once_is_promised_nothing(yard):
    job_id, _, _ = yard.place()
    assert promise(yard, job_id) is None


def test_a_job_that_waits_is_promised_a_start_with_a_range(yard, waiting):
    job_id, _ = waiting
    job, made = yard.job(job_id), promise(yard, job_id)
    assert job.starts_at == made.starts_at == yard.clock() + timedelta(hours=1)
    assert made.starts_from < made.starts_at < made.starts_until
    assert made.made_at == yard.clock()


def test_while_all_goes_as_expected_nothing_is_written(yard, waiting):
    job_id, claim = waiting
    version = yard.job(job_id).version
    for passed in range(10, 60, 10):
        yard.clock.advance(10)
        tell_time_left(yard, claim.job_id, HOUR - passed)
        yard.run_pass()
    assert yard.job(job_id).version == version


def test_what_is_expected_now_moves_and_the_promise_stays(yard, waiting):
    job_id, claim = waiting
    first, version = promise(yard, job_id).starts_at, yard.job(job_id).version
    tell_time_left(yard, claim.job_id, 3 * HOUR)
    yard.run_pass()
    assert yard.job(job_id).starts_at == yard.clock() + timedelta(hours=3)
    assert promise(yard, job_id).starts_at == first
    assert yard.job(job_id).version > version


def start_after(yard, waiting, seconds):
    job_id, claim = waiting
    yard.clock.advance(seconds)
    yard.guard(claim)
    yard.finish(claim, Outcome.succeeded())
    (bell,) = yard.run_pass()
    (worker,) = {attempt.worker_id for attempt in yard.attempts(job_id)}
    with yard.database.read() as session:
        found = session.get_one(WorkerTable, worker)
    yard.claim(bell.attempt_id, found)
    with yard.database.read() as session:
        return list_outcomes(session)


@pytest.mark.parametrize(("after_s", "kept"), [(HOUR, True), (100, False), (10 * HOUR, False)])
def test_a_promise_is_compared_with_what_happened(yard, waiting, after_s, kept):
    (outcome,) = start_after(yard, waiting, after_s)
    assert outcome.kept is kept
    assert (outcome.ratio > 1) == (after_s > HOUR)


def test_a_job_that_ran_before_is_not_promised_again(yard):
    worker = yard.register()
    claim = yard.start(worker)
    first = yard.submit(priority=5)
    yard.finish(claim, Outcome.interrupted("The worker shut down."))
    yard.start_again(worker)
    yard.run_pass()
    assert yard.job(claim.job_id).starts_at is not None
    assert promise(yard, claim.job_id) is None
    assert yard.job(first).started_at is not None


def test_a_job_whose_promise_is_nearly_broken_goes_before_who_has_used_less(yard, waiting):
    job_id, claim = waiting
    yard.clock.advance(300)
    tell_time_left(yard, claim.job_id, HOUR)
    other = yard.submit(owner_id=yard.add_person("linus"))
    yard.run_pass()
    assert yard.job(other).rank < yard.job(job_id).rank
    yard.clock.advance(10 * HOUR)
    yard.guard(claim)
    yard.finish(claim, Outcome.succeeded())
    yard.run_pass()
    assert yard.attempt_statuses(job_id) == ["placed"]
    assert yard.attempt_statuses(other) == []
