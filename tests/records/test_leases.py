"""Leases by memory and threads: what guards a device's capacity, whatever the planner thinks."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

import pytest
from sqlalchemy import select

from records.attempts import place_attempt
from records.errors import OverCapacity
from records.jobs import lock_job
from records.retries import Outcome
from records.tables import AttemptTable, DeviceTable, LeaseTable
from records.workers import OFFLINE, note_worker

GB = 10**9


def lend(yard, job_id, memory_bytes, threads=1):
    """Place an attempt past the planner."""
    with yard.database.write() as session:
        device = session.scalars(select(DeviceTable).order_by(DeviceTable.id).limit(1)).one()
        later = yard.clock() + timedelta(seconds=60)
        part = {"memory_bytes": memory_bytes, "threads": threads}
        place_attempt(session, lock_job(session, job_id), device, expires_at=later, at=yard.clock(), **part)


def test_jobs_that_fit_together_share_a_device(yard):
    worker = yard.register()
    ids = [yard.submit(needs=3) for _ in range(3)]
    bells = yard.run_pass()
    assert [bell.queue for bell in bells] == [worker.queue] * 2
    assert [yard.attempt_statuses(job_id) for job_id in ids] == [["placed"], ["placed"], []]
    assert [lease.memory_bytes for lease in yard.leases()] == [3 * GB, 3 * GB]
    assert yard.job(ids[0]).reason_text == "Attempt 1 has 3.0 GB of gpu:0."
    assert yard.job(ids[2]).reason_code == "waiting_for_memory"


def test_an_attempt_keeps_on_record_what_it_was_lent(yard):
    yard.register(kind="cpu", threads=4, slots=4)
    job_id = yard.submit(needs=2, threads=3)
    yard.run_pass()
    (attempt,) = yard.attempts(job_id)
    assert (attempt.memory_bytes, attempt.threads, attempt.share) == (2 * GB, 3, 0.75)
    assert yard.job(job_id).reason_text == "Attempt 1 has 2.0 GB and 3 threads of cpu:0."


@pytest.mark.parametrize(
    ("memory_bytes", "threads", "what"), [(5 * GB + 1, 1, "bytes"), (GB, 2, "threads"), (GB, 1, "places")]
)
def test_no_lease_is_written_beyond_what_a_device_has(yard, memory_bytes, threads, what):
    yard.register(kind="cpu", memory_bytes=8 * GB, threads=2, slots=1 if what == "places" else 2)
    lend(yard, yard.submit(), 3 * GB)
    second = yard.submit()
    with pytest.raises(OverCapacity, match=what):
        lend(yard, second, memory_bytes, threads)
    assert yard.attempts(second) == []
    assert len(yard.leases()) == 1


def test_the_threads_of_a_gpu_are_not_counted(yard):
    yard.register(threads=1)
    for _ in range(2):
        lend(yard, yard.submit(), GB, threads=1)
    assert len(yard.leases()) == 2


def test_of_leases_written_at_once_none_goes_beyond(yard, race):
    yard.register(memory_bytes=8 * GB)
    ids = [yard.submit() for _ in range(6)]
    results = race(*[lambda i=i: lend(yard, i, 3 * GB) for i in ids])
    assert sorted(type(result).__name__ for result in results) == ["NoneType"] * 2 + ["OverCapacity"] * 4
    assert sum(lease.memory_bytes for lease in yard.leases()) == 6 * GB


def test_passes_at_once_never_lend_too_much(yard, race):
    yard.register(devices=2, memory_bytes=8 * GB)
    ids = [yard.submit(needs=1 + n % 4) for n in range(12)]
    results = race(*[yard.run_pass] * 5)
    assert not [result for result in results if isinstance(result, Exception)]
    held = defaultdict(int)
    for lease in yard.rows(select(LeaseTable)):
        held[lease.device_id] += lease.memory_bytes
    assert max(held.values()) <= 8 * GB
    placed = [attempt.job_id for attempt in yard.rows(select(AttemptTable))]
    assert sorted(set(placed)) == sorted(placed)
    assert set(placed) < set(ids)


def test_later_attempts_have_as_many_threads_as_the_first(yard):
    small = yard.register("small", kind="cpu", threads=2, slots=2)
    job_id = yard.submit()
    claim = yard.start_again(small)
    yard.finish(claim, Outcome.interrupted("The worker shut down."))
    with yard.database.write() as session:
        note_worker(session, small.id, OFFLINE, at=yard.clock())
    yard.register("large", kind="cpu", threads=8, slots=8)
    yard.run_pass()
    assert [attempt.threads for attempt in yard.attempts(job_id)] == [2, 2]


# ── memory that did not do ───────────────────────────────────────────────────────────────────────────────────

TOO_LITTLE = Outcome.failed("out_of_memory", "It took more than it was lent.")


def test_a_try_that_ran_out_of_its_part_is_lent_twice_as_much_and_costs_a_retry(yard):
    worker = yard.register()
    yard.submit(needs=1.5)
    claim = yard.start_again(worker)
    assert yard.finish(claim, TOO_LITTLE) == "queued"
    assert yard.job(claim.job_id).reason_text == "It took more than it was lent. The next try is lent more."
    assert yard.job(claim.job_id).retries_left == 1
    assert yard.start_again(worker).memory_bytes == 3 * GB


def test_it_never_asks_for_more_than_the_device_has_and_then_it_has_failed(yard):
    worker = yard.register()
    yard.submit(needs=5, max_retries=9)
    assert yard.finish(yard.start_again(worker), TOO_LITTLE) == "queued"
    claim = yard.start_again(worker)
    assert claim.memory_bytes == 8 * GB
    assert yard.finish(claim, TOO_LITTLE) == "failed"


def test_without_a_retry_left_it_has_failed(yard):
    worker = yard.register()
    yard.submit(needs=1, max_retries=0)
    assert yard.finish(yard.start_again(worker), TOO_LITTLE) == "failed"
