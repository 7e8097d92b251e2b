"""Passes of the scheduler on real rows."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import select

from records import reading
from records.placing import place
from records.retries import Outcome
from records.schedule import take_snapshot
from records.tables import AttemptTable, LeaseTable


def test_a_pass_places_the_highest_priority_first_and_then_who_came_first(yard):
    low, first, second, high = (yard.submit(priority=p) for p in (-1, 0, 0, 9))
    yard.register(devices=2)
    yard.run_pass()
    assert [yard.attempt_statuses(job_id) for job_id in (low, first, second, high)] == [[], ["placed"], [], ["placed"]]


def test_a_pass_rings_the_queue_of_the_devices_worker(yard):
    _, attempt_id, worker = yard.place()
    assert worker.queue == "trainyard.worker.anna"
    (attempt,) = yard.rows(select(AttemptTable))
    assert (attempt.id, attempt.worker_id, attempt.number) == (attempt_id, worker.id, 1)


def test_a_placed_job_stays_queued_and_says_which_device_it_has(yard):
    job_id, _, _ = yard.place()
    job = yard.job(job_id)
    assert (job.status, job.reason_code, job.reason_text) == ("queued", "placed", "Attempt 1 has gpu:0.")


def test_every_waiting_job_has_one_reason_in_words(yard):
    ids = [yard.submit() for _ in range(3)]
    yard.run_pass()
    assert {yard.job(i).reason_code for i in ids} == {"no_worker"}
    yard.register()
    yard.run_pass()
    assert [yard.job(i).reason_code for i in ids] == ["placed", "waiting_for_device", "waiting_for_turn"]
    assert yard.job(ids[1]).reason_text.startswith("Waits for a whole GPU; job ")
    assert "Others go first" in yard.job(ids[2]).reason_text


def test_an_unchanged_queue_costs_no_writes(yard):
    yard.register()
    ids = [yard.submit() for _ in range(4)]
    yard.run_pass()
    versions = [yard.job(i).version for i in ids]
    yard.clock.advance(1)
    yard.run_pass()
    assert [yard.job(i).version for i in ids] == versions


def test_passes_at_once_place_each_job_once(yard, race):
    yard.register("anna", devices=3)
    yard.register("bert", devices=3)
    ids = [yard.submit(priority=i % 3) for i in range(8)]
    results = race(*[yard.run_pass] * 5)
    bells = [bell for result in results for bell in result]
    assert len(bells) == 6
    placed = yard.rows(select(AttemptTable))
    assert max(Counter(attempt.job_id for attempt in placed).values()) == 1
    assert max(Counter(lease.device_id for lease in yard.rows(select(LeaseTable))).values()) == 1
    assert {attempt.job_id for attempt in placed} < set(ids)


def test_a_cancel_during_a_pass_leaves_no_lease_on_a_cancelled_job(yard, race):
    yard.register(devices=4)
    for _ in range(6):
        ids = [yard.submit() for _ in range(4)]
        results = race(yard.run_pass, *[lambda i=i: yard.cancel(i) for i in ids])
        assert not [result for result in results if isinstance(result, Exception)]
        for job_id in ids:
            assert yard.job(job_id).status == "cancelled"
            yard.settled(job_id)


def test_a_job_that_backs_off_is_not_placed_before_its_time(yard):
    worker = yard.register()
    claim = yard.start(worker)
    yard.finish(claim, Outcome.failed("child_died", "x"))
    yard.run_pass()
    assert yard.job(claim.job_id).reason_code == "retry_later"
    yard.clock.advance(4.9)
    assert yard.run_pass() == []
    yard.clock.advance(0.1)
    assert len(yard.run_pass()) == 1


@pytest.mark.parametrize("priorities", [[0, 0, 0], [3, 1, 2], [0, 5, 0, -5, 5]])
def test_the_place_in_the_queue_is_the_order_in_which_place_would_place(yard, priorities):
    ids = [yard.submit(priority=priority) for priority in priorities]
    yard.register(devices=len(ids))
    with yard.database.read() as session:
        planned = [placement.job_id for placement in place(take_snapshot(session, at=yard.clock())).placements]
        shown = {job_id: reading.read_job(session, job_id).place for job_id in ids}
        listed = [row.id for row in reading.list_queue(session)]
    assert sorted(ids, key=shown.__getitem__) == planned == listed
    assert sorted(shown.values()) == list(range(1, len(ids) + 1))


def test_a_job_that_does_not_wait_has_no_place(yard):
    claim = yard.start()
    with yard.database.read() as session:
        assert reading.read_job(session, claim.job_id).place is None
