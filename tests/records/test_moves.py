"""The table of moves, by `move` itself."""

from __future__ import annotations

from itertools import product

import pytest

from records import jobs
from records.errors import Conflict
from records.states import JobStatus

# Written out by hand, apart from the table in the code.
ALLOWED = {
    ("queued", "running"),
    ("queued", "cancelled"),
    ("running", "succeeded"),
    ("running", "failed"),
    ("running", "cancelled"),
    ("running", "queued"),
    ("failed", "queued"),
    ("cancelled", "queued"),
}


@pytest.mark.parametrize(("before", "after"), list(product(JobStatus, JobStatus)))
def test_a_move_is_made_with_one_event_or_refused_without(yard, before, after):
    job_id = yard.submit()
    yard.force(job_id, before)
    version = yard.job(job_id).version

    def move():
        with yard.database.write() as session:
            jobs.move(session, jobs.lock_job(session, job_id), after, actor="yard", at=yard.clock(), code="c", text="t")

    if (before.value, after.value) in ALLOWED:
        move()
        job, (event,) = yard.job(job_id), yard.events(job_id, "moved")
        assert (job.status, job.reason_code, job.reason_text, job.version) == (after, "c", "t", version + 1)
        assert (event.from_status, event.to_status, event.code, event.text) == (before, after, "c", "t")
        assert (event.actor, event.at) == ("yard", yard.clock())
        assert (job.finished_at is not None) == (after in ("succeeded", "failed", "cancelled"))
    else:
        with pytest.raises(Conflict, match=f"is {before}"):
            move()
        assert (yard.job(job_id).status, yard.job(job_id).version) == (before, version)
        assert yard.events(job_id, "moved") == []


def test_a_move_is_refused_when_the_row_changed_under_a_stale_object(yard):
    job_id = yard.submit()
    with yard.database.read() as session:
        stale = jobs.lock_job(session, job_id)
        session.expunge(stale)
    yard.cancel(job_id)
    with pytest.raises(Conflict, match="a moment ago"), yard.database.write() as session:
        jobs.move(session, stale, JobStatus.RUNNING, actor="yard", at=yard.clock())
    assert yard.job(job_id).status == "cancelled"


def test_submitting_writes_the_first_event(yard):
    job_id = yard.submit(name="first")
    (event,) = yard.events(job_id)
    assert (event.kind, event.to_status, event.actor) == ("submitted", "queued", "user:grace")


def test_locking_a_job_reads_it_fresh_though_the_session_knew_it(yard):
    job_id = yard.submit()
    with yard.database.engine.connect() as plain:
        if yard.database.is_sqlite:
            pytest.skip("on SQLite nobody can write between two statements of a writer")
        with yard.database.write() as session:
            known = session.get_one(jobs.JobTable, job_id)
            assert known.status == "queued"
            plain.exec_driver_sql(f"UPDATE jobs SET status = 'failed' WHERE id = {job_id}")
            plain.commit()
            assert jobs.lock_job(session, job_id).status == "failed"
