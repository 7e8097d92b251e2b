"""One attempt, looked at closely: who may claim it, and how each kind of trouble ends it."""

from __future__ import annotations

import dataclasses
import sqlite3
import threading
from datetime import timedelta

import psutil
from sqlalchemy import text, update

from records.attempts import expire
from records.blobs import Blob, FolderBlobs
from records.clock import utc_now
from records.errors import DiskFull
from records.schedule import run_pass
from records.tables import JobTable, LeaseTable
from tests.worker.process import eventually_gone
from worker.supervisor import supervise

LONG = {"steps": 10_000, "step_s": 0.05}


def test_of_ten_claims_at_once_one_wins(place, place_job, yard, in_thread):
    job_id, attempt_id = place_job(steps=3)
    together = threading.Barrier(10)

    def claim_and_run():
        together.wait()
        supervise(place, attempt_id)

    for thread in [in_thread(claim_and_run) for _ in range(10)]:
        thread.join()
    assert yard.job(job_id).status == "succeeded"
    assert [(e.from_status, e.to_status) for e in yard.events(job_id) if e.kind == "moved"] == [
        ("queued", "running"),
        ("running", "succeeded"),
    ]


def test_a_draining_worker_takes_nothing_up(place, place_job, yard):
    job_id, attempt_id = place_job()
    place.draining.set()
    supervise(place, attempt_id)
    assert yard.job(job_id).status == "queued"
    assert yard.attempts(job_id)[0].status == "placed"


def test_a_worker_that_lost_its_lease_stops_and_writes_nothing_more(
    place, place_job, yard, in_thread, is_scratch_empty
):
    job_id, attempt_id = place_job(**LONG)
    thread = in_thread(supervise, place, attempt_id)
    pid = yard.under_way(job_id).pid
    with place.database.write() as session:
        late = utc_now() + timedelta(days=1)
        session.execute(update(LeaseTable).values(expires_at=utc_now()))
        assert expire(session, at=late) == [job_id]
    steps, version = yard.steps(job_id), yard.job(job_id).version
    thread.join()
    eventually_gone(pid)
    assert yard.steps(job_id) == steps
    assert yard.job(job_id).version == version
    assert yard.job(job_id).status == "queued"
    assert [a.status for a in yard.attempts(job_id)] == ["lost"]
    assert is_scratch_empty()


class FillingBlobs(FolderBlobs):
    """A blob store on a disk that has room for a few files."""

    def __init__(self, folder, room):
        super().__init__(folder)
        self.room = room

    def put_file(self, source) -> Blob:
        if self.room == 0:
            raise DiskFull("No room on the disk.")
        self.room -= 1
        return super().put_file(source)


def test_a_full_disk_ends_the_job_and_the_earlier_checkpoint_survives(place, place_job, yard):
    place = dataclasses.replace(place, blobs=FillingBlobs(place.blobs.folder, room=2))
    job_id, attempt_id = place_job(steps=100, step_s=0.01)
    supervise(place, attempt_id)
    job = yard.job(job_id)
    assert (job.status, job.reason_code, job.retries_left) == ("failed", "disk_full", 2)
    kept = yard.artifacts(job_id)
    assert set(kept) == {"checkpoint-10.json", "checkpoint-20.json"}
    assert place.blobs.path(kept["checkpoint-20.json"].sha256).read_bytes() == b'{"step": 20}'


def test_a_damaged_checkpoint_falls_back_to_the_one_before(place, place_job, yard):
    job_id, attempt_id = place_job(steps=100, fail_at=35, fail_code="child_died", fail_attempts=1)
    supervise(place, attempt_id)
    newest = yard.artifacts(job_id)["checkpoint-30.json"]
    place.blobs.path(newest.sha256).write_bytes(b'{"step": 99}')
    with place.database.write() as session:
        session.execute(update(JobTable).values(not_before=None))
    _place_again(place)
    supervise(place, yard.attempts(job_id)[-1].id)
    assert yard.job(job_id).status == "succeeded"
    assert yard.run(job_id).summary["resumed_from_step"] == 20
    assert "step 30 cannot be used" in yard.log(job_id)
    assert [e.kind for e in yard.events(job_id)].count("checkpoint_damaged") == 1


def test_a_database_that_comes_back_in_time_loses_nothing(place, place_job, yard, in_thread, eventually):
    job_id, attempt_id = place_job(steps=60, step_s=0.05)
    thread = in_thread(supervise, place, attempt_id)
    yard.under_way(job_id)
    if place.database.is_sqlite:
        _hold_sqlite(place, eventually, yard, job_id)
    else:
        for _ in range(5):
            _cut_connections(place)
    thread.join()
    assert yard.job(job_id).status == "succeeded"
    assert len(yard.attempts(job_id)) == 1
    assert yard.steps(job_id) == list(range(1, 61))


def test_a_spec_from_another_version_fails_with_words(place, place_job, yard):
    job_id, attempt_id = place_job()
    with place.database.write() as session:
        job = session.get_one(JobTable, job_id)
        job.spec = {**job.spec, "of_the_future": True}
    supervise(place, attempt_id)
    job = yard.job(job_id)
    assert (job.status, job.reason_code) == ("failed", "recipe_failed")
    assert "of_the_future" in job.reason_text


def test_a_failed_recipe_fails_its_job_with_its_code(place, place_job, yard):
    job_id, attempt_id = place_job(steps=5, fail_at=2, fail_code="diverged")
    supervise(place, attempt_id)
    job = yard.job(job_id)
    assert (job.status, job.reason_code) == ("failed", "diverged")
    assert "Failed at step 2" in job.reason_text
    assert yard.steps(job_id) == [1]


def test_a_job_in_the_middle_of_a_drain_is_interrupted(place, place_job, yard, in_thread):
    job_id, attempt_id = place_job(**LONG)
    thread = in_thread(supervise, place, attempt_id)
    pid = yard.under_way(job_id).pid
    group = psutil.Process(pid)
    place.draining.set()
    thread.join()
    assert not group.is_running()
    job = yard.job(job_id)
    assert (job.status, job.reason_code, job.retries_left) == ("queued", "worker_stopped", 2)


def _place_again(place):
    with place.database.write() as session:
        run_pass(session, lease_s=5, at=utc_now())


def _hold_sqlite(place, eventually, yard, job_id):
    """Keep everybody else from writing for a good second."""
    before = len(yard.steps(job_id))
    holder = sqlite3.connect(place.database.engine.url.database, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    released_at = utc_now() + timedelta(seconds=1.2)
    eventually(lambda: utc_now() > released_at)
    assert len(yard.steps(job_id)) <= before + 3
    holder.execute("COMMIT")
    holder.close()


def _cut_connections(place):
    """End every session of this database but our own, as a restart of the server does."""
    with place.database.read() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        )
