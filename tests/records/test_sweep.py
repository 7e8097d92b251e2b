"""The sweep: lapsed leases, silent workers, unheard bells; and the lives of workers."""

from __future__ import annotations

from sqlalchemy import select

from records import reading, workers
from records.schedule import Bell
from records.sweep import LAST_SWEEP
from records.tables import DeviceTable, JobTable, WorkerTable, YardTable


def worker_statuses(yard):
    return [row.status for row in yard.rows(select(WorkerTable).order_by(WorkerTable.id))]


def test_a_sweep_ends_only_what_has_lapsed(yard):
    lapsed = yard.start(yard.register("anna"))
    yard.clock.advance(4)
    alive = yard.start(yard.register("bert"))
    yard.clock.advance(2)
    assert yard.sweep().expired_jobs == [lapsed.job_id]
    assert yard.attempt_statuses(lapsed.job_id) == ["lost"]
    assert yard.attempt_statuses(alive.job_id) == ["running"]
    assert [lease.attempt_id for lease in yard.leases()] == [alive.attempt_id]
    job = yard.job(lapsed.job_id)
    assert (job.status, job.reason_code, job.retries_left) == ("queued", "lease_expired", 1)


def test_a_lease_is_still_good_at_its_last_moment(yard):
    yard.start()
    yard.clock.advance(5)
    assert yard.sweep().expired_jobs == []
    yard.clock.advance(0.001)
    assert len(yard.sweep().expired_jobs) == 1


def test_a_job_whose_worker_falls_silent_again_and_again_fails_when_no_retry_is_left(yard):
    worker = yard.register()
    claim = yard.start(worker, max_retries=1)
    yard.lapse()
    yard.sweep()
    yard.start_again(worker)
    yard.lapse()
    yard.sweep()
    job = yard.job(claim.job_id)
    assert (job.status, job.reason_code) == ("failed", "lease_expired")
    yard.settled(claim.job_id)


def test_a_swept_job_is_placed_again_on_another_worker(yard):
    claim = yard.start(yard.register("anna"))
    yard.lapse()
    yard.sweep(silent_s=3)
    bert = yard.register("bert")
    again = yard.start_again(bert)
    assert (again.job_id, again.number) == (claim.job_id, 2)


def test_silent_workers_are_offline_until_they_speak(yard):
    anna, bert = yard.register("anna"), yard.register("bert")
    yard.clock.advance(10)
    with yard.database.write() as session:
        assert workers.note_worker(session, bert.id, workers.ONLINE, at=yard.clock())
    yard.sweep(silent_s=9)
    assert worker_statuses(yard) == ["offline", "online"]
    assert {view.worker.name for view in list_devices(yard)} == {"bert"}
    with yard.database.write() as session:
        assert workers.note_worker(session, anna.id, workers.ONLINE, at=yard.clock())
    assert worker_statuses(yard) == ["online", "online"]


def list_devices(yard):
    with yard.database.read() as session:
        return reading.show_devices(session)


def test_a_sweep_tells_of_attempts_that_nobody_heard_of(yard):
    _, attempt_id, worker = yard.place()
    yard.clock.advance(3)
    assert yard.sweep(unheard_s=4).unheard == []
    assert yard.sweep(unheard_s=2).unheard == [Bell(worker.queue, attempt_id)]
    yard.claim(attempt_id, worker)
    assert yard.sweep(unheard_s=2).unheard == []


def test_a_sweep_notes_when_it_was(yard):
    yard.sweep()
    yard.clock.advance(1)
    yard.sweep()
    (row,) = yard.rows(select(YardTable).where(YardTable.name == LAST_SWEEP))
    assert row.value == yard.clock().isoformat()


def test_two_sweeps_at_once_end_an_attempt_once(yard, race):
    worker = yard.register()
    for _ in range(5):
        claim = yard.start(worker)
        yard.lapse()
        results = race(*[yard.sweep] * 3)
        assert sorted(len(swept.expired_jobs) for swept in results) == [0, 0, 1]
        assert len(yard.events(claim.job_id, "attempt_ended")) == 1
        yard.cancel(claim.job_id)


def test_a_sweep_and_a_pass_that_meet_the_same_jobs_in_other_orders_do_not_block_each_other(yard, race):
    yard.register(devices=6)
    for _ in range(5):
        for priority in range(6):
            yard.submit(priority=priority)
        yard.run_pass()
        yard.lapse()
        results = race(yard.sweep, yard.run_pass, yard.sweep, yard.run_pass)
        assert not [result for result in results if isinstance(result, Exception)]
        for job in yard.rows(select(JobTable).where(JobTable.status == "queued")):
            yard.cancel(job.id)


# ── lives of a worker ────────────────────────────────────────────────────────────────────────────────────────


def test_a_worker_that_starts_again_ends_the_attempts_of_its_earlier_life(yard):
    worker = yard.register("anna", devices=2)
    running = yard.start(worker, max_retries=1)
    placed_job, _, _ = yard.place(worker)
    elsewhere = yard.start(yard.register("bert"))
    again = yard.register("anna", devices=2)
    assert again.id != worker.id
    assert yard.attempt_statuses(running.job_id) == ["lost"]
    assert yard.attempt_statuses(placed_job) == ["lost"]
    assert yard.attempt_statuses(elsewhere.job_id) == ["running"]
    assert (yard.job(running.job_id).status, yard.job(running.job_id).retries_left) == ("queued", 0)
    assert worker_statuses(yard) == ["offline", "online", "online"]
    assert len(yard.run_pass()) == 2


def test_only_the_devices_of_the_present_life_are_lent(yard):
    yard.register("anna", devices=2)
    yard.register("anna", devices=1)
    for _ in range(3):
        yard.submit()
    assert len(yard.run_pass()) == 1
    assert len(list_devices(yard)) == 1
    assert len(yard.rows(select(DeviceTable))) == 3


def test_an_earlier_life_that_wakes_up_does_not_come_online_again(yard):
    earlier = yard.register("anna")
    yard.register("anna")
    with yard.database.write() as session:
        assert workers.note_worker(session, earlier.id, workers.ONLINE, at=yard.clock()) is False
    assert worker_statuses(yard) == ["offline", "online"]


def test_of_lives_that_begin_at_once_one_stays_online(yard, race):
    results = race(*[lambda: yard.register("anna")] * 4)
    assert not [result for result in results if isinstance(result, Exception)]
    assert sorted(worker_statuses(yard)) == ["offline", "offline", "offline", "online"]


def test_a_draining_worker_keeps_its_work_and_gets_no_more(yard):
    worker = yard.register(devices=2)
    claim = yard.start(worker)
    with yard.database.write() as session:
        workers.note_worker(session, worker.id, workers.DRAINING, at=yard.clock())
    yard.submit()
    assert yard.run_pass() == []
    assert yard.guard(claim).cancel is False
    views = list_devices(yard)
    assert [[lease.job_id for lease in view.leases] for view in views] == [[claim.job_id], []]
