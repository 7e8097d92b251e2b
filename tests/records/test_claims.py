"""Of any number of claims one wins, whatever happens at the same moment."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy.exc import IntegrityError

from records.attempts import Claim
from records.errors import LeaseLost
from records.retries import Outcome
from records.states import AttemptStatus
from records.tables import AttemptTable, LeaseTable

ROUNDS = 8


def count_of(results, kind):
    return sum(isinstance(result, kind) for result in results)


def test_of_concurrent_claims_exactly_one_wins(yard, race):
    worker = yard.register()
    for _ in range(3):
        _, attempt_id, _ = yard.place(worker)
        results = race(*[lambda: yard.claim(attempt_id, worker)] * 6)  # noqa: B023
        assert count_of(results, Claim) == 1
        assert count_of(results, LeaseLost) == 5
        won = next(result for result in results if isinstance(result, Claim))
        yard.finish(won, Outcome.succeeded())


def test_the_same_bell_a_hundred_times_makes_one_execution(yard):
    job_id, attempt_id, worker = yard.place()
    outcomes = Counter()
    for _ in range(100):
        try:
            yard.claim(attempt_id, worker)
            outcomes["claimed"] += 1
        except LeaseLost:
            outcomes["lost"] += 1
    assert outcomes == {"claimed": 1, "lost": 99}
    assert len(yard.events(job_id, "moved")) == 1
    assert yard.attempt_statuses(job_id) == ["running"]


def test_a_claim_tells_all_that_the_worker_needs(yard):
    job_id, attempt_id, worker = yard.place(steps=7)
    claim = yard.claim(attempt_id, worker)
    assert (claim.job_id, claim.attempt_id, claim.number) == (job_id, attempt_id, 1)
    assert claim.spec["steps"] == 7
    assert claim.device.name == "gpu:0"
    assert yard.job(job_id).started_at == yard.clock()


def test_another_workers_attempt_cannot_be_claimed(yard):
    _, attempt_id, _ = yard.place()
    other = yard.register("bert", devices=0)
    with pytest.raises(LeaseLost):
        yard.claim(attempt_id, other)


def test_an_attempt_that_never_was_cannot_be_claimed(yard):
    with pytest.raises(LeaseLost, match="no attempt 4711"):
        yard.claim(4711, yard.register())


def test_a_cancelled_job_cannot_be_claimed(yard):
    job_id, attempt_id, worker = yard.place()
    yard.cancel(job_id)
    with pytest.raises(LeaseLost):
        yard.claim(attempt_id, worker)
    assert yard.job(job_id).status == "cancelled"
    yard.settled(job_id)


def test_an_ended_attempt_cannot_be_claimed_again(yard):
    worker = yard.register()
    claim = yard.start(worker)
    yard.finish(claim, Outcome.succeeded())
    with pytest.raises(LeaseLost):
        yard.claim(claim.attempt_id, worker)


@pytest.mark.parametrize("claim_first", [True, False])
def test_a_claim_and_a_cancel_at_once_leave_one_truth(yard, race, claim_first):
    worker = yard.register()
    for _ in range(ROUNDS):
        job_id, attempt_id, _ = yard.place(worker)
        acts = [lambda: yard.claim(attempt_id, worker), lambda: yard.cancel(job_id)]  # noqa: B023
        claimed, cancelled = race(*acts) if claim_first else reversed(race(*reversed(acts)))
        assert cancelled is None
        job = yard.job(job_id)
        if isinstance(claimed, Claim):  # the claim came first: the request waits for the heartbeat
            assert (job.status, job.cancel_requested_at) == ("running", yard.clock())
            assert yard.guard(claimed).cancel
            yard.finish(claimed, Outcome.cancelled())
        else:
            assert isinstance(claimed, LeaseLost)
        assert yard.job(job_id).status == "cancelled"
        yard.settled(job_id)


@pytest.mark.parametrize("claim_first", [True, False])
def test_a_claim_and_a_sweep_at_once_leave_one_truth(yard, race, claim_first):
    worker = yard.register()
    for _ in range(ROUNDS):
        job_id, attempt_id, _ = yard.place(worker)
        yard.lapse()
        acts = [lambda: yard.claim(attempt_id, worker), yard.sweep]  # noqa: B023
        claimed, swept = race(*acts) if claim_first else reversed(race(*reversed(acts)))
        if isinstance(claimed, Claim):
            assert swept.expired_jobs == []
            assert yard.job(job_id).status == "running"
            yard.finish(claimed, Outcome.succeeded())
        else:
            assert isinstance(claimed, LeaseLost)
            assert swept.expired_jobs == [job_id]
            assert yard.job(job_id).status == "queued"
            yard.cancel(job_id)
        yard.settled(job_id)


@pytest.mark.parametrize("finish_first", [True, False])
def test_a_finish_and_an_expiry_at_once_leave_one_truth(yard, race, finish_first):
    worker = yard.register()
    for _ in range(ROUNDS):
        claim = yard.start(worker)
        yard.lapse()
        acts = [lambda: yard.finish(claim, Outcome.succeeded()), yard.sweep]  # noqa: B023
        finished, swept = race(*acts) if finish_first else reversed(race(*reversed(acts)))
        if isinstance(finished, LeaseLost):
            assert swept.expired_jobs == [claim.job_id]
            assert yard.attempt_statuses(claim.job_id) == ["lost"]
            assert yard.job(claim.job_id).status == "queued"
            yard.cancel(claim.job_id)
        else:
            assert (finished, swept.expired_jobs) == ("succeeded", [])
            assert yard.attempt_statuses(claim.job_id) == ["succeeded"]
        yard.settled(claim.job_id)
        assert len(yard.events(claim.job_id, "attempt_ended")) == 1


@pytest.mark.parametrize("renew_first", [True, False])
def test_a_heartbeat_and_an_expiry_at_once_leave_one_truth(yard, race, renew_first):
    worker = yard.register()
    for _ in range(ROUNDS):
        claim = yard.start(worker)
        yard.lapse()
        acts = [lambda: yard.guard(claim), yard.sweep]  # noqa: B023
        renewed, swept = race(*acts) if renew_first else reversed(race(*reversed(acts)))
        if isinstance(renewed, LeaseLost):
            assert swept.expired_jobs == [claim.job_id]
            yard.cancel(claim.job_id)
        else:
            assert swept.expired_jobs == []
            assert yard.job(claim.job_id).status == "running"
            yard.finish(claim, Outcome.succeeded())
        yard.settled(claim.job_id)


def test_two_finishes_at_once_end_the_attempt_once(yard, race):
    worker = yard.register()
    for _ in range(ROUNDS):
        claim = yard.start(worker)
        results = race(*[lambda: yard.finish(claim, Outcome.succeeded())] * 3)  # noqa: B023
        assert Counter(str(r) if r == "succeeded" else type(r) for r in results) == {"succeeded": 1, LeaseLost: 2}
        assert len(yard.events(claim.job_id, "moved")) == 2


# ── what the database itself refuses ─────────────────────────────────────────────────────────────────────────


def test_the_database_refuses_a_second_open_attempt_of_a_job(yard):
    job_id, _, worker = yard.place()
    device_id = yard.attempts(job_id)[0].device_id
    part = {"memory_bytes": 1, "threads": 1, "share": 0.1}
    who = {"job_id": job_id, "number": 2, "worker_id": worker.id, "device_id": device_id}
    second = {**who, **part, "placed_at": yard.clock()}
    with pytest.raises(IntegrityError), yard.database.write() as session:
        session.add(AttemptTable(status=AttemptStatus.RUNNING, **second))
    with yard.database.write() as session:
        session.add(AttemptTable(status=AttemptStatus.LOST, **second))  # ended ones may be many
    assert yard.attempt_statuses(job_id) == ["placed", "lost"]


def test_the_database_refuses_a_lease_without_an_attempt(yard):
    job_id, attempt_id, _ = yard.place()
    lease = {"device_id": yard.attempts(job_id)[0].device_id, "memory_bytes": 1, "threads": 1}
    with pytest.raises(IntegrityError), yard.database.write() as session:
        session.add(LeaseTable(attempt_id=4711, expires_at=yard.clock(), **lease))
    assert [lease.attempt_id for lease in yard.leases()] == [attempt_id]
