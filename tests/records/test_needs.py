"""What a job asks for and how long it is expected to take, and what others like it teach."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from records import jobs
from records.durations import expect, work_of
from records.likeness import likeness_of
from records.needs import learn
from records.retries import Outcome
from records.specs import parse_spec
from records.tables import AttemptTable, JobTable

MB = 10**6
TRAIN = {"kind": "train", "dataset": "mnist", "network": {"name": "lenet5"}, "epochs": 4}
PEAK = {"low_bytes": 80 * MB, "likely_bytes": 100 * MB, "high_bytes": 120 * MB, "data_bytes": 0}
ESTIMATE = {
    "form": 1, "peak": {"cpu": PEAK, "gpu": PEAK}, "multiply_adds": {"image": 1, "step": 10}, "steps_per_epoch": 5,
}  # fmt: skip
DEMAND = {kind: {"runtime_bytes": 500 * MB, "peak_bytes": 120 * MB} for kind in ("cpu", "gpu")}


@pytest.fixture
def submit(yard):
    """`submit(**spec fields)`: a training with an estimate, by number."""

    def submit_one(**fields):
        spec = parse_spec({**TRAIN, **fields})
        with yard.database.write() as session:
            args = {"owner_id": yard.owner_id, "actor": "user:grace", "parameters": 1, "at": yard.clock()}
            job = jobs.submit(session, spec, estimate=ESTIMATE, demand=DEMAND, threads=1, **args)
            return job.id

    return submit_one


def run(yard, worker, *, seconds, peak_bytes=None):
    claim = yard.start_again(worker)
    yard.clock.advance(seconds)
    yard.guard(claim)
    with yard.database.write() as session:
        session.execute(update(AttemptTable).where(AttemptTable.id == claim.attempt_id).values(peak_bytes=peak_bytes))
    yard.finish(claim, Outcome.succeeded())
    return claim.job_id


def test_a_job_asks_for_its_estimate_and_the_runtime(yard, submit):
    job = yard.job(submit())
    assert (job.cpu_bytes, job.gpu_bytes, job.threads) == (620 * MB, 620 * MB, 1)
    assert job.lasts_s is None


def test_an_exclusive_job_and_one_without_an_estimate_ask_for_a_whole_device(yard, submit):
    for job_id in (submit(exclusive=True), yard.submit()):
        assert (yard.job(job_id).cpu_bytes, yard.job(job_id).gpu_bytes) == (None, None)


def test_a_waiting_job_learns_from_one_like_it_that_went_through(yard, submit):
    worker = yard.register()
    submit(exclusive=True)
    waits, unlike = submit(batch_size=64, epochs=8), submit(network={"name": "dense"})
    run(yard, worker, seconds=100, peak_bytes=150 * MB)
    job = yard.job(waits)
    assert job.gpu_bytes == 500 * MB + round(1.5 * 120 * MB)
    assert job.cpu_bytes == 620 * MB, "a GPU says nothing of a CPU"
    assert job.lasts_s == pytest.approx(200, abs=5), "twice as many epochs"
    assert job.lasts_from_s < job.lasts_s < job.lasts_until_s
    assert yard.job(unlike).gpu_bytes == 620 * MB
    assert yard.job(unlike).lasts_s is None


def test_a_new_job_knows_what_those_before_it_measured(yard, submit):
    worker = yard.register()
    submit()
    run(yard, worker, seconds=100, peak_bytes=50 * MB)
    assert yard.job(submit()).gpu_bytes == 500 * MB + 60 * MB


def test_nothing_moves_an_estimate_further_than_twice(yard, submit):
    worker = yard.register()
    submit()
    run(yard, worker, seconds=100, peak_bytes=900 * MB)
    assert yard.job(submit()).gpu_bytes == 500 * MB + 240 * MB


def test_of_unlike_jobs_five_of_a_kind_tell_how_long_it_may_take(yard, submit):
    worker = yard.register()
    for _ in range(5):
        yard.submit(steps=len(yard.leases()))
        run(yard, worker, seconds=30)
        yard.clock.advance(1)
    different = yard.job(yard.submit(steps=99))
    assert different.lasts_s == pytest.approx(30, abs=1)
    assert yard.job(submit()).lasts_s is None


def test_nothing_is_expected_to_last_longer_than_it_may(yard):
    worker = yard.register()
    yard.submit(steps=7)
    run(yard, worker, seconds=100)
    job = yard.job(yard.submit(steps=7, time_limit_s=60))
    assert (job.lasts_from_s, job.lasts_s, job.lasts_until_s) == (60, 60, 60)


def test_jobs_from_before_there_was_likeness_are_not_all_alike(yard, submit):
    worker = yard.register()
    submit()
    old = run(yard, worker, seconds=100)
    with yard.database.write() as session:
        session.execute(update(JobTable).where(JobTable.id == old).values(likeness=None))
    waiting = submit()
    with yard.database.write() as session:
        job = session.get_one(JobTable, waiting)
        job.likeness = None
        learn(session, job)
        assert expect(session, job) is None


def test_likeness_sees_the_network_and_not_the_schedule():
    spec = parse_spec(TRAIN).model_dump(mode="json")
    assert likeness_of(spec) == likeness_of({**spec, "epochs": 9, "seed": 5, "priority": 3, "learning_rate": 0.1})
    adam = spec["optimizer"]
    assert likeness_of(spec) == likeness_of({**spec, "optimizer": {**adam, "beta_1": 0.5}})
    for change in ({"dataset": "fashion_mnist"}, {"network": {"name": "dense"}}, {"optimizer": {"name": "sgd"}}):
        assert likeness_of(spec) != likeness_of({**spec, **change})
    assert likeness_of(spec) != likeness_of({**spec, "a_field_of_the_future": 1})


def test_work_grows_with_steps_and_epochs_and_is_one_where_nobody_knows():
    assert work_of({"epochs": 3}, ESTIMATE) == 150
    assert work_of({"epochs": 0, "head_epochs": 3}, ESTIMATE) == 150
    assert work_of({"steps": 3}, ESTIMATE) == 50
    assert work_of({"steps": 3}, None) == 1
