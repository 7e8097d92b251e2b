"""Memory that did not do: rungs cost no retry, the spec stays, and what worked is where the next job starts."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from records import jobs
from records.lessons import training_key
from records.retries import Outcome
from records.specs import parse_spec
from records.states import JobStatus
from records.tables import DeviceTable, JobTable, MemoryLessonTable
from records.thrift import Thrift

SPEC: dict[str, Any] = {"kind": "train", "dataset": "mnist", "network": {"name": "lenet5"}, "batch_size": 32}
SHORT = Outcome.failed("out_of_memory", "A step needs more.", advice="Fewer layers would save 3 MB.")


class Trainings:
    """Trainings on one worker's GPU, one after the other."""

    def __init__(self, yard: Any) -> None:
        self.yard = yard
        self.worker = yard.register()

    def begin(self, *, demand: dict[str, Any] | None = None, **fields: Any):
        """Submit and claim; it asks for a whole device, or for what `demand` says."""
        yard, spec = self.yard, parse_spec(SPEC | fields)
        with yard.database.write() as session:
            args = {"owner_id": yard.owner_id, "actor": "user:grace", "parameters": 0, "at": yard.clock()}
            jobs.submit(session, spec, demand=demand, **args)
        return yard.start_again(self.worker)

    def fall_short(self, claim: Any, times: int = 1):
        """Run out of memory so often; the last claim."""
        for _ in range(times):
            assert self.yard.finish(claim, SHORT) == JobStatus.QUEUED
            claim = self.yard.start_again(self.worker)
        return claim

    def lessons(self) -> list[MemoryLessonTable]:
        return self.yard.rows(select(MemoryLessonTable))


@pytest.fixture
def trainings(yard) -> Trainings:
    return Trainings(yard)


def test_a_shortage_leads_to_the_next_rung_at_once_and_spends_no_retry(yard, trainings):
    first = trainings.begin(max_retries=1)
    assert first.thrift is None
    second = trainings.fall_short(first)
    job = yard.job(second.job_id)
    assert second.thrift == Thrift(micro_batch=16)
    assert job.retries_left == 1
    assert job.not_before is None
    assert job.spec == parse_spec(SPEC | {"max_retries": 1}).model_dump(mode="json")
    assert [attempt.thrift for attempt in yard.attempts(job.id)] == [None, second.thrift.model_dump()]


def test_every_rung_is_an_event_in_plain_words(yard, trainings):
    claim = trainings.fall_short(trainings.begin(), times=3)
    told = [event.text for event in yard.events(claim.job_id, "rung")]
    assert len(told) == 3
    assert "2 micro-batches of 16; the batch stays 32" in told[0]
    assert "4 micro-batches of 8" in told[1]
    assert "mixed precision" in told[2]


def test_a_job_that_fits_on_no_rung_fails_with_what_was_tried_and_what_to_change(yard, trainings):
    claim = trainings.fall_short(trainings.begin(max_retries=0), times=7)
    assert claim.thrift == Thrift(micro_batch=1, precision="mixed", recompute=True)
    assert yard.finish(claim, SHORT) == JobStatus.FAILED
    job = yard.job(claim.job_id)
    assert job.reason_code == "out_of_memory"
    for text in ("whole batches of 32;", "micro-batches of 16 ", "micro-batches of 1 ", "Fewer layers would save 3 MB"):
        assert text in job.reason_text
    assert trainings.lessons() == []


def test_a_spec_that_wants_to_fail_fails_at_once(yard, trainings):
    claim = trainings.begin(on_oom="fail")
    assert yard.finish(claim, SHORT) == JobStatus.FAILED
    assert yard.job(claim.job_id).reason_text == "A step needs more. Fewer layers would save 3 MB."


def test_other_errors_and_interruptions_stay_on_the_rung(yard, trainings):
    claim = trainings.fall_short(trainings.begin())
    yard.finish(claim, Outcome.interrupted("Stops."))
    again = trainings.yard.start_again(trainings.worker)
    assert again.thrift == claim.thrift
    yard.finish(again, Outcome.failed("child_died", "It died."))
    yard.clock.advance(6)
    assert yard.start_again(trainings.worker).thrift == claim.thrift
    assert yard.job(claim.job_id).retries_left == 1


def test_a_kind_that_cannot_do_without_anything_fails_as_what_it_is(yard, trainings):
    """Its fields may have the names of others and other values."""
    claim = trainings.begin()
    style = {"kind": "style_transfer", "content": 1, "styles": [{"picture": 2}], "precision": "bfloat16"}
    with yard.database.write() as session:
        session.get_one(JobTable, claim.job_id).spec = parse_spec(style).model_dump(mode="json")
    assert yard.finish(claim, SHORT) == JobStatus.FAILED
    assert yard.job(claim.job_id).reason_code == "out_of_memory"


def test_a_training_that_was_lent_a_part_is_lent_more_before_it_does_without(yard, trainings):
    demand = {kind: {"runtime_bytes": 10**9, "peak_bytes": 10**9} for kind in ("cpu", "gpu")}
    claim = trainings.begin(max_retries=1, demand=demand)
    assert yard.finish(claim, SHORT) == JobStatus.QUEUED
    job = yard.job(claim.job_id)
    assert (job.retries_left, job.gpu_bytes, job.thrift) == (0, 4 * 10**9, None)
    yard.clock.advance(60)
    again = yard.start_again(trainings.worker)
    assert (again.thrift, again.memory_bytes) == (None, 4 * 10**9)
    assert yard.finish(again, SHORT) == JobStatus.QUEUED
    assert yard.job(claim.job_id).retries_left == 0, "a rung spends none"
    assert Thrift(**yard.job(claim.job_id).thrift) == Thrift(micro_batch=16)


def test_a_cancelled_job_climbs_no_further(yard, trainings):
    claim = trainings.begin()
    yard.cancel(claim.job_id)
    assert yard.finish(claim, SHORT) == JobStatus.CANCELLED
    assert yard.events(claim.job_id, "rung") == []


# ── lessons ──────────────────────────────────────────────────────────────────────────────────────────────────


def learned(trainings: Trainings, **fields: Any):
    claim = trainings.fall_short(trainings.begin(**fields), times=2)
    trainings.yard.finish(claim, Outcome.succeeded())
    return claim


def test_the_next_job_like_it_starts_with_what_worked(yard, trainings):
    claim = learned(trainings)
    after = trainings.begin(seed=5, epochs=9, name="again", max_retries=0)
    assert after.thrift == claim.thrift == Thrift(micro_batch=8)
    (event,) = yard.events(after.job_id, "lesson")
    assert f"as job {claim.job_id} found out" in event.text
    yard.finish(after, Outcome.succeeded())
    (lesson,) = trainings.lessons()
    assert lesson.job_id == claim.job_id


@pytest.mark.parametrize(
    "fields",
    [
        {"batch_size": 16},
        {"network": {"name": "dense"}},
        {"dataset": "fashion-mnist"},
        {"optimizer": {"name": "sgd"}},
        {"on_oom": "fail"},
        {"micro_batch": 4},
        {"precision": "mixed"},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_another_training_starts_as_its_spec_says(trainings, fields):
    learned(trainings)
    assert trainings.begin(**fields).thrift is None


def test_a_lesson_from_somebody_else_does_not_name_their_job(yard, trainings):
    claim = learned(trainings)
    with yard.database.write() as session:
        session.get_one(JobTable, claim.job_id).owner_id = yard.add_person("ada")
    (event,) = yard.events(trainings.begin().job_id, "lesson")
    assert "as an earlier job found out" in event.text


def test_a_lesson_holds_for_no_more_memory_than_ran_out(yard, trainings):
    learned(trainings)
    with yard.database.write() as session:
        session.execute(update(DeviceTable).values(memory_bytes=DeviceTable.memory_bytes + 1))
    assert trainings.begin().thrift is None


def test_a_lesson_holds_for_one_model_of_device(yard, trainings):
    learned(trainings)
    with yard.database.write() as session:
        session.execute(update(DeviceTable).values(model="Other"))
    assert trainings.begin().thrift is None


def test_a_job_that_has_begun_does_not_change_its_ways_for_a_lesson(yard, trainings):
    begun = trainings.begin()
    yard.finish(begun, Outcome.interrupted("Stops."))
    with yard.database.write() as session:
        device = session.get_one(DeviceTable, begun.device.id)
        session.add(
            MemoryLessonTable(
                training=training_key(begun.spec),
                device_kind=device.kind,
                device_model=device.model,
                memory_bytes=device.memory_bytes,
                thrift=Thrift(micro_batch=8).model_dump(),
                job_id=begun.job_id,
                learned_at=yard.clock(),
            )
        )
    yard.clock.advance(1)
    assert yard.start_again(trainings.worker).thrift is None


def test_a_lesson_that_did_not_do_is_replaced_by_a_further_one(yard, trainings):
    learned(trainings)
    claim = trainings.fall_short(trainings.begin())
    yard.finish(claim, Outcome.succeeded())
    (lesson,) = trainings.lessons()
    assert Thrift(**lesson.thrift) == Thrift(micro_batch=8, precision="mixed")
    assert lesson.job_id == claim.job_id
