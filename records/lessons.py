"""What trainings had to do without where memory did not do, and where the next one like it starts.

A lesson belongs to a network, its images, its batch and a model of device. It holds for attempts that have no more
memory than the one that ran out. Functions take a session and never commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from records.errors import OutOfMemory
from records.jobs import add_event, change
from records.ladder import Answer, answer
from records.likeness import step_digest
from records.retries import Outcome
from records.states import AttemptStatus
from records.tables import AttemptTable, DeviceTable, JobTable, MemoryLessonTable
from records.thrift import Thrift


def training_key(spec: Mapping[str, Any]) -> str:
    """The same for specs, as plain data, whose steps take as much memory: how they save some themselves counts too."""
    return step_digest(spec)


def begin_thriftily(
    session: Session, job: JobTable, attempt: AttemptTable, device: DeviceTable, *, at: datetime
) -> Thrift | None:
    """How an attempt that is being claimed saves memory; noted in its row. None to follow the spec.

    A job's own findings come first. A first attempt starts where an earlier job like it ended on such a device; a later
    one does not, since what had begun must go on in the same way.
    """
    found = job.thrift
    first = job.started_at == at
    if found is None and first and job.spec.get("on_oom") == "adapt":
        lesson = _find(session, job, device)
        if lesson is not None and attempt.memory_bytes <= lesson.memory_bytes:
            found = lesson.thrift
            text = f"Starts with {_words(job, found)}, as {_teacher(session, lesson, job)} found out on {device.model}."
            change(session, job.id, thrift=found)
            add_event(session, job.id, "lesson", actor="yard", at=at, text=text)
    attempt.thrift = found
    session.flush()
    return None if found is None else Thrift(**found)


def find_answer(session: Session, job: JobTable, attempt: AttemptTable, outcome: Outcome) -> Answer | None:
    """What `records.ladder` answers where an attempt ended for want of memory; None where it ended otherwise."""
    if outcome.code != OutOfMemory.code or "on_oom" not in job.spec:  # other kinds cannot do without anything
        return None
    query = select(AttemptTable.thrift).where(AttemptTable.job_id == job.id, AttemptTable.id != attempt.id)
    earlier = session.scalars(query.where(AttemptTable.reason_code == OutOfMemory.code).order_by(AttemptTable.number))
    return answer(job.spec, [_thrift(job, told) for told in (*earlier, attempt.thrift)])


def remember(session: Session, job: JobTable, attempt: AttemptTable, *, at: datetime) -> None:
    """A job is through: keep what it had to do without on this model of device, if anything."""
    if attempt.thrift is None:
        return
    device = session.get_one(DeviceTable, attempt.device_id)
    had = _most_that_ran_out(session, job, device)
    lesson = _find(session, job, device)
    if had is None:
        return  # it started from a lesson, and that did
    if lesson is None:
        lesson = MemoryLessonTable(
            training=training_key(job.spec), device_kind=device.kind, device_model=device.model, memory_bytes=0
        )
        session.add(lesson)
    lesson.memory_bytes = max(had, lesson.memory_bytes)
    lesson.thrift, lesson.job_id, lesson.learned_at = attempt.thrift, job.id, at
    session.flush()


def _find(session: Session, job: JobTable, device: DeviceTable) -> MemoryLessonTable | None:
    return session.get(MemoryLessonTable, (training_key(job.spec), device.kind, device.model))


def _teacher(session: Session, lesson: MemoryLessonTable, job: JobTable) -> str:
    """The job that a lesson is from; the numbers of others' jobs are theirs."""
    mine = session.scalar(select(JobTable.owner_id).where(JobTable.id == lesson.job_id)) == job.owner_id
    return f"job {lesson.job_id}" if mine else "an earlier job"


def _most_that_ran_out(session: Session, job: JobTable, device: DeviceTable) -> int | None:
    """The most memory of such a device with which an attempt at the job ran out; None where none did."""
    return session.scalar(
        select(func.max(AttemptTable.memory_bytes))
        .join(DeviceTable, DeviceTable.id == AttemptTable.device_id)
        .where(
            AttemptTable.job_id == job.id,
            AttemptTable.status == AttemptStatus.FAILED,
            AttemptTable.reason_code == OutOfMemory.code,
            DeviceTable.kind == device.kind,
            DeviceTable.model == device.model,
        )
    )


def _thrift(job: JobTable, told: Mapping[str, Any] | None) -> Thrift:
    return Thrift.of(job.spec) if told is None else Thrift(**told)


def _words(job: JobTable, told: Mapping[str, Any]) -> str:
    return Thrift(**told).words(int(job.spec["batch_size"]))
