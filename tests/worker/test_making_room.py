"""A running job makes room for one of higher priority, through a worker process."""

from __future__ import annotations


def test_a_job_of_higher_priority_sends_a_running_one_back_to_the_queue_and_it_goes_on_later(yard, start_worker):
    start_worker(preemption=True, least_run_s=0.5)
    low = yard.submit(steps=120, step_s=0.05)
    yard.under_way(low, step=5)
    high = yard.submit(steps=1, priority=9)
    assert yard.finished(high).status == "succeeded"
    job = yard.finished(low)
    first, second = yard.attempts(low)
    assert (job.status, job.retries_left) == ("succeeded", 2)
    assert (first.status, first.reason_code, second.status) == ("interrupted", "preempted", "succeeded")
    assert yard.run(low).summary["resumed_from_step"] > 0
    assert yard.steps(low) == list(range(1, 121))
    assert first.finished_at <= yard.attempts(high)[0].placed_at
