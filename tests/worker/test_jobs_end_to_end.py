"""Jobs through a worker process: queue, claim, child, records. Nothing here is simulated."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from records.clock import utc_now
from records.jobs import cancel
from records.queue import ATTEMPT_TASK, SCHEDULE_QUEUE, SCHEDULE_TASK, ring_schedule
from records.tables import WorkerTable
from tests.worker.process import eventually_gone
from worker.facts import trainyard_version

LONG = {"steps": 10_000, "step_s": 0.05}


def test_a_job_runs_to_its_end_and_all_of_it_is_on_record(yard, start_worker, is_scratch_empty):
    start_worker()
    job_id = yard.submit(steps=20)
    job = yard.finished(job_id)
    (attempt,) = yard.attempts(job_id)
    assert (job.status, job.progress, job.reason_code) == ("succeeded", 1.0, None)
    assert (attempt.status, attempt.number) == ("succeeded", 1)
    assert attempt.first_step_at >= attempt.started_at
    assert yard.steps(job_id) == list(range(1, 21))
    assert set(yard.artifacts(job_id)) == {"noop.json", "checkpoint-18.json", "checkpoint-20.json"}
    assert yard.run(job_id).summary == {"steps": 20, "resumed_from_step": 0}
    assert job.live["stage"] == "reporting"
    assert (job.live["step"], job.live["steps"], job.live["epoch"], job.live["epochs"]) == (20, 20, 1, 1)
    moves = [(e.from_status, e.to_status) for e in yard.events(job_id) if e.kind == "moved"]
    assert moves == [("queued", "running"), ("running", "succeeded")]
    assert is_scratch_empty()


def test_the_same_bell_a_hundred_times_makes_one_execution(yard, start_worker):
    start_worker()
    first = yard.submit(steps=1)
    yard.finished(first)
    job_id = yard.submit(**{**LONG, "steps": 20})
    attempt = yard.under_way(job_id, step=1)
    with yard.database.read() as session:
        queue = session.get_one(WorkerTable, attempt.worker_id).queue
    yard.ring(attempt.id, queue, times=100)
    for _ in range(20):
        ring_schedule(yard.bells)
    assert yard.finished(job_id).status == "succeeded"
    assert len(yard.attempts(job_id)) == 1
    assert yard.steps(job_id) == list(range(1, 21))


def test_forged_bells_do_no_harm(yard, start_worker):
    start_worker()
    first = yard.submit(steps=1)
    yard.finished(first)
    attempt = yard.attempts(first)[0]
    with yard.database.read() as session:
        queue = session.get_one(WorkerTable, attempt.worker_id).queue
    for arguments in ((attempt.id,), (10**30,), ("1; DROP TABLE jobs",), (None,), (), (1, 2, 3), ({"a": []},)):
        yard.bells.send_task(ATTEMPT_TASK, args=arguments, queue=queue)
    yard.bells.send_task("os.system", args=("true",), queue=queue)
    yard.bells.send_task(SCHEDULE_TASK, args=("surprise",), queue=SCHEDULE_QUEUE)
    assert yard.finished(yard.submit(steps=1)).status == "succeeded"
    assert yard.job(first).status == "succeeded"
    assert len(yard.attempts(first)) == 1


def test_a_killed_child_is_tried_again_without_gap_or_double(yard, start_worker):
    start_worker()
    job_id = yard.submit(steps=100, step_s=0.02, fail_at=55, fail_code="child_died", fail_attempts=1)
    job = yard.finished(job_id)
    first, second = yard.attempts(job_id)
    assert (job.status, job.retries_left) == ("succeeded", 1)
    assert (first.status, first.reason_code, second.status) == ("failed", "child_died", "succeeded")
    assert "SIGKILL" in first.reason_text
    assert yard.steps(job_id) == list(range(1, 101))
    assert yard.run(job_id).summary["resumed_from_step"] == 50
    finals = [e for e in yard.events(job_id) if e.to_status in ("succeeded", "failed", "cancelled")]
    assert len(finals) == 1


def test_a_child_dies_with_its_killed_worker_and_a_new_worker_takes_over(yard, start_worker):
    worker = start_worker()
    job_id = yard.submit(steps=100, step_s=0.05)
    attempt = yard.under_way(job_id, step=25)
    worker.kill()
    eventually_gone(attempt.pid)
    start_worker()
    assert yard.finished(job_id).status == "succeeded"
    assert [a.status for a in yard.attempts(job_id)] == ["lost", "succeeded"]
    assert yard.steps(job_id) == list(range(1, 101))
    assert yard.run(job_id).summary["resumed_from_step"] >= 20


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_preloaded_process_outlives_its_worker(yard, start_worker, eventually, how):
    worker = start_worker(child_start="preload")
    job_id = yard.submit(**LONG)
    yard.under_way(job_id, within_s=120)
    assert len(worker.descendants()) >= 2
    worker.signal(how)
    assert worker.process.wait(40) == (0 if how == signal.SIGTERM else -how)
    eventually(worker.leaves_nothing, within_s=15)


def test_a_job_is_cancelled_although_it_ignores_sigterm(yard, start_worker, is_scratch_empty):
    start_worker(cancel_grace_s=0.5)
    job_id = yard.submit(**LONG, ignore_stop=True)
    attempt = yard.under_way(job_id)
    with yard.database.write() as session:
        cancel(session, job_id, actor="user:ada", at=utc_now())
    job = yard.finished(job_id, within_s=10)
    asked = next(e.at for e in yard.events(job_id) if e.kind == "cancel_requested")
    assert job.status == "cancelled"
    assert job.finished_at > asked
    eventually_gone(attempt.pid)
    assert is_scratch_empty()


def test_a_cancelled_job_keeps_its_last_checkpoint(yard, start_worker):
    start_worker()
    job_id = yard.submit(**LONG)
    yard.under_way(job_id, step=5)
    with yard.database.write() as session:
        cancel(session, job_id, actor="user:ada", at=utc_now())
    assert yard.finished(job_id).status == "cancelled"
    (name,) = yard.artifacts(job_id)
    assert name == f"checkpoint-{yard.steps(job_id)[-1]}.json"


def test_an_attempt_ends_at_its_time_limit(yard, start_worker):
    start_worker(cancel_grace_s=0.5)
    job_id = yard.submit(**LONG, time_limit_s=1)
    job = yard.finished(job_id)
    assert (job.status, job.reason_code) == ("failed", "time_limit")
    assert "1 s" in job.reason_text


def test_a_stopped_worker_gives_its_job_back_and_the_next_one_resumes(yard, start_worker):
    worker = start_worker()
    job_id = yard.submit(steps=120, step_s=0.05)
    yard.under_way(job_id, step=5)
    worker.descendants()
    assert worker.stop() == 0
    assert worker.leaves_nothing()
    job = yard.job(job_id)
    assert (job.status, job.retries_left) == ("queued", 2)
    assert [a.status for a in yard.attempts(job_id)] == ["interrupted"]
    stopped_at = yard.steps(job_id)[-1]
    start_worker()
    assert yard.finished(job_id).status == "succeeded"
    assert yard.run(job_id).summary["resumed_from_step"] == stopped_at
    assert yard.steps(job_id) == list(range(1, 121))


def test_a_child_that_does_not_stop_is_killed_and_further_signals_change_nothing(yard, start_worker):
    worker = start_worker(stop_grace_s=1.0)
    job_id = yard.submit(**LONG, ignore_stop=True)
    attempt = yard.under_way(job_id)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        worker.signal(number)
    assert worker.process.wait(20) == 0
    eventually_gone(attempt.pid)
    job = yard.job(job_id)
    assert (job.status, job.retries_left) == ("queued", 2)


def test_no_secret_reaches_a_child(yard, start_worker, settings):
    start_worker()
    job_id = yard.submit(**LONG)
    attempt = yard.under_way(job_id)
    environ = Path(f"/proc/{attempt.pid}/environ").read_text()
    assert "PATH=" in environ
    assert "TRAINYARD_" not in environ
    assert settings.redis_url.get_secret_value() not in environ
    assert settings.database_url.get_secret_value() not in environ


def test_a_second_worker_on_the_same_home_is_refused(yard, start_worker, settings):
    start_worker()
    yard.finished(yard.submit())
    second = start_worker()
    assert second.process.wait(30) == 1
    assert "worker.refused" in second.log.read_text()
    assert yard.finished(yard.submit()).status == "succeeded"


def test_a_worker_stops_when_another_of_its_name_comes_online_elsewhere(
    yard, start_worker, settings, tmp_path, eventually
):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    earlier = start_worker(worker_name="twin")
    yard.finished(yard.submit(steps=1))
    later = start_worker(settings.model_copy(update={"home": elsewhere}), worker_name="twin")
    assert eventually(lambda: earlier.process.poll() is not None, within_s=30)
    assert earlier.process.returncode == 0
    assert "worker.superseded name=twin" in earlier.log.read_text()
    assert later.process.poll() is None


def test_a_worker_says_which_version_it_is(yard, start_worker):
    start_worker()
    job_id = yard.submit()
    yard.finished(job_id)
    with yard.database.read() as session:
        worker = session.get_one(WorkerTable, yard.attempts(job_id)[0].worker_id)
    assert (worker.version, worker.status) == (trainyard_version(), "online")
