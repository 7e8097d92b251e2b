"""Guards, heartbeats, endings, cancelling and trying again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from records import artifacts, logs, runs
from records.attempts import guard
from records.blobs import Blob
from records.errors import Conflict, LeaseLost
from records.events import MetricPoint
from records.retries import Outcome
from records.tables import ArtifactTable, LogLineTable, MetricTable, RunTable


def write_everything(yard, claim):
    def write(session):
        at = yard.clock()
        runs.write_metrics(session, claim.run_id, [MetricPoint(name="loss", step=1, value=1.0, at=at)])
        logs.write_log(session, claim.job_id, claim.number, [logs.LogLine(at, "info", "hello")])
        blob = Blob("ab" * 32, 3)
        artifacts.add_artifact(
            session, claim.job_id, blob, name="a.txt", kind="table", media_type="text/plain", at=yard.clock()
        )

    return write


def written(yard):
    with yard.database.read() as session:
        return [session.scalar(select(func.count()).select_from(t)) for t in (MetricTable, LogLineTable, ArtifactTable)]


# ── the guard ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_guarded_write_is_kept_while_the_attempt_runs(yard):
    claim = yard.start()
    assert yard.guard(claim, write_everything(yard, claim)).cancel is False
    assert written(yard) == [1, 1, 1]


@pytest.mark.parametrize("ending", ["expired", "finished", "expired and started again", "cancelled"])
def test_a_guarded_write_after_the_end_raises_and_changes_nothing(yard, ending):
    worker = yard.register()
    claim = yard.start(worker)
    if ending == "finished":
        yard.finish(claim, Outcome.succeeded())
    elif ending == "cancelled":
        yard.cancel(claim.job_id)
        yard.finish(claim, Outcome.cancelled())
    else:
        yard.lapse()
        assert yard.sweep().expired_jobs == [claim.job_id]
    if ending == "expired and started again":
        yard.start_again(worker)
    before = yard.job(claim.job_id).version, yard.leases()
    with pytest.raises(LeaseLost):
        yard.guard(claim, write_everything(yard, claim))
    assert written(yard) == [0, 0, 0]
    assert yard.job(claim.job_id).version == before[0]
    assert [lease.expires_at for lease in yard.leases()] == [lease.expires_at for lease in before[1]]


def test_an_attempt_that_is_only_placed_may_not_write(yard):
    job_id, attempt_id, _ = yard.place()
    with pytest.raises(LeaseLost), yard.database.write() as session:
        guard(session, attempt_id, job_id, lease_s=5, at=yard.clock())


def test_an_error_after_the_guard_rolls_the_whole_flush_back(yard):
    claim = yard.start()
    (lease,) = yard.leases()
    yard.clock.advance(2)

    def write_and_fail(session):
        write_everything(yard, claim)(session)
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        yard.guard(claim, write_and_fail)
    assert written(yard) == [0, 0, 0]
    assert yard.leases()[0].expires_at == lease.expires_at


def test_a_heartbeat_extends_the_lease(yard):
    claim = yard.start()
    yard.clock.advance(4)
    yard.guard(claim)
    yard.clock.advance(4)  # 8 s after the claim, 4 s after the heartbeat, of a lease of 5 s
    assert yard.sweep().expired_jobs == []
    assert yard.leases()[0].expires_at == yard.clock() + timedelta(seconds=1)


def test_a_guard_does_not_change_what_people_see(yard):
    claim = yard.start()
    version = yard.job(claim.job_id).version
    yard.guard(claim)
    assert yard.job(claim.job_id).version == version


# ── endings ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_success_fills_the_progress_and_ends_the_run(yard):
    claim = yard.start()
    yard.clock.advance(1)
    assert yard.finish(claim, Outcome.succeeded()) == "succeeded"
    job, (run,) = yard.job(claim.job_id), yard.rows(select(RunTable))
    assert (job.progress, job.finished_at, run.finished_at) == (1.0, yard.clock(), yard.clock())
    yard.settled(claim.job_id)


def test_a_permanent_error_fails_the_job_at_once(yard):
    claim = yard.start(max_retries=5)
    assert yard.finish(claim, Outcome.failed("diverged", "The loss is NaN.")) == "failed"
    job = yard.job(claim.job_id)
    assert (job.reason_code, job.reason_text, job.retries_left) == ("diverged", "The loss is NaN.", 5)
    yard.settled(claim.job_id)


def test_a_transient_error_waits_longer_each_time_until_no_retry_is_left(yard):
    worker = yard.register()
    claim = yard.start(worker, max_retries=2)
    for left, wait_s in ((1, 5), (0, 30)):
        assert yard.finish(claim, Outcome.failed("child_died", "It died.")) == "queued"
        job = yard.job(claim.job_id)
        assert (job.retries_left, job.not_before - yard.clock()) == (left, timedelta(seconds=wait_s))
        yard.clock.advance(wait_s - 1)
        assert yard.run_pass() == []
        yard.clock.advance(1)
        claim = yard.start_again(worker)
    assert yard.finish(claim, Outcome.failed("child_died", "It died.")) == "failed"
    assert yard.job(claim.job_id).reason_text == "It died. No retry is left."
    assert yard.attempt_statuses(claim.job_id) == ["failed"] * 3


def test_an_interruption_costs_no_retry_and_no_wait(yard):
    worker = yard.register()
    claim = yard.start(worker, max_retries=1)
    for _ in range(4):
        assert yard.finish(claim, Outcome.interrupted("The worker stops.")) == "queued"
        job = yard.job(claim.job_id)
        assert (job.retries_left, job.not_before) == (1, None)
        claim = yard.start_again(worker)
    yard.finish(claim, Outcome.failed("child_died", "It died."))
    assert yard.job(claim.job_id).not_before - yard.clock() == timedelta(
        seconds=5
    )  # the first retry, the fifth attempt


def test_a_placed_attempt_that_nobody_began_costs_nothing(yard):
    job_id, _, _ = yard.place(max_retries=0)
    for _ in range(3):
        yard.lapse()
        assert yard.sweep().expired_jobs == [job_id]
        assert (yard.job(job_id).status, yard.job(job_id).retries_left) == ("queued", 0)
        assert yard.leases() == []
        yard.run_pass()
    assert yard.attempt_statuses(job_id) == ["lost"] * 3 + ["placed"]
    assert yard.events(job_id, "moved") == []


def test_an_ending_is_told_with_any_text_that_a_child_may_print(yard):
    claim = yard.start()
    nasty = "before \x00 between \ud800 after é 火"
    yard.finish(claim, Outcome.failed("recipe_failed", nasty))
    assert yard.job(claim.job_id).reason_text == "before � between ? after é 火"
    assert yard.attempts(claim.job_id)[0].reason_text == "before � between ? after é 火"


def test_a_code_that_is_no_error_of_ours_counts_as_recipe_failed(yard):
    claim = yard.start()
    yard.finish(claim, Outcome.failed("x" * 500, "Odd."))
    assert yard.job(claim.job_id).reason_code == "recipe_failed"


# ── cancelling ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_queued_job_is_cancelled_at_once(yard):
    job_id = yard.submit()
    yard.cancel(job_id)
    job = yard.job(job_id)
    assert (job.status, job.reason_code, job.reason_text) == ("cancelled", "cancelled", "Cancelled by user:grace.")
    yard.settled(job_id)
    yard.register()
    assert yard.run_pass() == []


def test_cancelling_a_placed_job_gives_its_device_back(yard):
    job_id, _, worker = yard.place()
    yard.cancel(job_id)
    assert (yard.job(job_id).status, yard.attempt_statuses(job_id)) == ("cancelled", ["cancelled"])
    yard.settled(job_id)
    assert yard.start(worker).job_id != job_id


def test_cancelling_a_running_job_is_a_flag_until_its_work_has_stopped(yard):
    claim = yard.start()
    yard.cancel(claim.job_id)
    assert yard.job(claim.job_id).status == "running"
    assert yard.guard(claim).cancel is True
    assert yard.finish(claim, Outcome.cancelled()) == "cancelled"
    yard.settled(claim.job_id)


@pytest.mark.parametrize("state", ["queued", "running", "cancelled"])
def test_cancelling_twice_changes_nothing_more(yard, state):
    job_id = yard.submit() if state != "running" else yard.start().job_id
    yard.cancel(job_id)
    before = yard.job(job_id).version, len(yard.events(job_id))
    yard.clock.advance(1)
    yard.cancel(job_id)
    assert (yard.job(job_id).version, len(yard.events(job_id))) == before


@pytest.mark.parametrize("outcome", [Outcome.succeeded(), Outcome.failed("diverged", "NaN.")])
def test_a_finished_job_cannot_be_cancelled(yard, outcome):
    claim = yard.start()
    yard.finish(claim, outcome)
    with pytest.raises(Conflict, match="already"):
        yard.cancel(claim.job_id)


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome.interrupted("The worker stops."),
        Outcome.failed("child_died", "Killed."),
        Outcome.failed("diverged", "NaN."),
        Outcome.lost("Silent."),
    ],
)
def test_a_running_job_that_was_cancelled_ends_cancelled_however_its_work_stops(yard, outcome):
    claim = yard.start()
    yard.cancel(claim.job_id)
    assert yard.finish(claim, outcome) == "cancelled"
    assert yard.attempt_statuses(claim.job_id) == [outcome.status]
    yard.settled(claim.job_id)


def test_work_that_was_through_before_the_cancel_was_heard_counts(yard):
    claim = yard.start()
    yard.cancel(claim.job_id)
    assert yard.finish(claim, Outcome.succeeded()) == "succeeded"


def test_a_cancelled_job_whose_worker_fell_silent_ends_cancelled(yard):
    claim = yard.start()
    yard.cancel(claim.job_id)
    yard.lapse()
    assert yard.sweep().expired_jobs == [claim.job_id]
    assert yard.job(claim.job_id).status == "cancelled"
    yard.settled(claim.job_id)


# ── trying again ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ending", ["failed", "cancelled"])
def test_a_retry_by_hand_queues_the_job_and_goes_on_with_the_same_run(yard, ending):
    worker = yard.register()
    claim = yard.start(worker, max_retries=0)
    yard.guard(claim, write_everything(yard, claim))
    if ending == "cancelled":
        yard.cancel(claim.job_id)
    yard.finish(claim, Outcome.failed("diverged", "NaN.") if ending == "failed" else Outcome.cancelled())
    yard.retry(claim.job_id, retries=2)
    job = yard.job(claim.job_id)
    assert (job.status, job.retries_left, job.finished_at, job.cancel_requested_at) == ("queued", 2, None, None)
    assert (job.reason_code, job.live) == (None, {})
    again = yard.start_again(worker)
    assert (again.job_id, again.number, again.run_id) == (claim.job_id, 2, claim.run_id)
    assert yard.rows(select(RunTable))[0].finished_at is None
    assert yard.guard(again).cancel is False
    assert yard.job(claim.job_id).started_at == job.started_at
    assert written(yard) == [1, 1, 1]


@pytest.mark.parametrize("state", ["queued", "running", "succeeded"])
def test_only_failed_and_cancelled_jobs_can_be_retried(yard, state):
    if state == "queued":
        job_id = yard.submit()
    else:
        claim = yard.start()
        job_id = claim.job_id
        if state == "succeeded":
            yard.finish(claim, Outcome.succeeded())
    with pytest.raises(Conflict, match=f"is {state}"):
        yard.retry(job_id)
    assert yard.job(job_id).status == state
