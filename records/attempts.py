"""The life of an attempt: placed, claimed, renewed, finished or expired. Every write is guarded by "still open".

Like in `records.jobs`: the job's row is locked first, and nothing here commits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from records import retries
from records.database import lock_pass, rows_changed
from records.errors import LeaseLost, OutOfMemory, OverCapacity
from records.jobs import add_event, change, grow_version, lock_job, move
from records.lessons import begin_thriftily, find_answer, remember
from records.needs import outgrow, teach
from records.placing.reasons import size_words
from records.placing.sizes import share_of
from records.retries import Outcome
from records.runs import finish_run, open_run
from records.states import OPEN_ATTEMPTS, AttemptStatus, JobStatus
from records.tables import AttemptTable, DeviceTable, JobTable, LeaseTable, WorkerTable
from records.thrift import Thrift

_NEARLY_ALL = 0.9
"""Who was lent so much of a device had as good as all of it."""


@dataclass(frozen=True)
class Claim:
    """An attempt that is now this worker's."""

    attempt_id: int
    job_id: int
    run_id: int
    number: int
    spec: dict[str, Any]
    device: DeviceTable
    memory_bytes: int
    """Lent to it of the device."""
    threads: int
    thrift: Thrift | None = None
    """How it is to save memory; None as the spec says."""


@dataclass(frozen=True)
class Directive:
    """What the yard asks of a running attempt."""

    cancel: bool
    make_room: bool = False
    """To write a checkpoint and go back to the queue, for a job of higher priority."""


def place_attempt(
    session: Session,
    job: JobTable,
    device: DeviceTable,
    *,
    memory_bytes: int,
    threads: int,
    expires_at: datetime,
    at: datetime,
) -> AttemptTable:
    """Lend a part of a device to a locked, queued job: a new attempt with a lease.

    Raises:
        OverCapacity: less is left of the device than that. It does not trust whoever planned this.
    """
    _guard_capacity(session, device, memory_bytes=memory_bytes, threads=threads)
    last = session.scalar(select(func.max(AttemptTable.number)).where(AttemptTable.job_id == job.id))
    attempt = AttemptTable(
        job_id=job.id,
        number=(last or 0) + 1,
        status=AttemptStatus.PLACED,
        worker_id=device.worker_id,
        device_id=device.id,
        memory_bytes=memory_bytes,
        threads=threads,
        share=share_of(device.kind, memory_bytes, threads, of_bytes=device.memory_bytes, of_threads=device.threads),
        placed_at=at,
    )
    session.add(attempt)
    session.flush()
    lent = {"memory_bytes": memory_bytes, "threads": threads}
    session.add(LeaseTable(attempt_id=attempt.id, device_id=device.id, expires_at=expires_at, **lent))
    text = f"Attempt {attempt.number} has {_part_words(device, memory_bytes, threads)}."
    # The bits of a training depend on the number of threads, so later attempts get as many.
    sticky = {"threads": threads} if device.kind != "gpu" and job.threads is None else {}
    change(session, job.id, reason_code="placed", reason_text=text, **sticky)
    add_event(session, job.id, "placed", actor="yard", at=at, text=text)
    return attempt


def claim(session: Session, attempt_id: int, worker: WorkerTable, *, lease_s: float, at: datetime) -> Claim:
    """Make a placed attempt this worker's own. Of any number of claims, one wins.

    Raises:
        LeaseLost: the attempt is another worker's, was claimed before, or has ended.
    """
    attempt = session.get(AttemptTable, attempt_id)
    if attempt is None:
        raise LeaseLost(f"There is no attempt {attempt_id}.")
    job = lock_job(session, attempt.job_id)
    won = rows_changed(
        session,
        update(AttemptTable)
        .where(
            AttemptTable.id == attempt_id,
            AttemptTable.worker_id == worker.id,
            AttemptTable.status == AttemptStatus.PLACED,
        )
        .values(status=AttemptStatus.RUNNING, started_at=at),
    )
    if won != 1 or job.status != JobStatus.QUEUED:
        raise LeaseLost(f"Attempt {attempt_id} is not {worker.name}'s to claim.")
    _extend(session, attempt_id, at + timedelta(seconds=lease_s))
    started: dict[str, Any] = {} if job.started_at else {"started_at": at}
    move(session, job, JobStatus.RUNNING, actor=f"worker:{worker.name}", at=at, live={"stage": "starting"}, **started)
    device = session.get_one(DeviceTable, attempt.device_id)
    return Claim(
        attempt_id,
        job.id,
        open_run(session, job.id, at=at),
        attempt.number,
        job.spec,
        device,
        attempt.memory_bytes,
        attempt.threads,
        begin_thriftily(session, job, attempt, device, at=at),
    )


def guard(session: Session, attempt_id: int, job_id: int, *, lease_s: float, at: datetime) -> Directive:
    """Begin a worker's write: lock, check that the attempt is still running, extend its lease.

    Whatever the transaction writes after this is safe: nobody can end the attempt before it commits.

    Raises:
        LeaseLost: the attempt is no longer running; roll back and stop.
    """
    job = lock_job(session, job_id)
    alive = session.execute(
        select(AttemptTable.preempted_at).where(
            AttemptTable.id == attempt_id, AttemptTable.status == AttemptStatus.RUNNING
        )
    ).one_or_none()
    if alive is None or not _extend(session, attempt_id, at + timedelta(seconds=lease_s)):
        raise LeaseLost(f"Attempt {attempt_id} of job {job_id} is no longer running here.")
    return Directive(cancel=job.cancel_requested_at is not None, make_room=alive.preempted_at is not None)


def preempt(session: Session, job_id: int, *, at: datetime) -> None:
    """Ask the running attempt of a job to write a checkpoint and make room; a job without one is left alone."""
    lock_job(session, job_id)
    asked = rows_changed(
        session,
        update(AttemptTable)
        .where(
            AttemptTable.job_id == job_id,
            AttemptTable.status == AttemptStatus.RUNNING,
            AttemptTable.preempted_at.is_(None),
        )
        .values(preempted_at=at),
    )
    if asked:
        text = "Asked to make room for a job of higher priority."
        add_event(session, job_id, "preempted", actor="yard", at=at, text=text)
        grow_version(session, [job_id])


def note_child(session: Session, attempt_id: int, **columns: Any) -> None:
    """Set what is known of the child: `pid`, `first_step_at`, `peak_bytes`, `resident_bytes`. Call `guard` first."""
    session.execute(update(AttemptTable).where(AttemptTable.id == attempt_id).values(**columns))
    grow_version(session, select(AttemptTable.job_id).where(AttemptTable.id == attempt_id))


def finish(session: Session, attempt_id: int, job_id: int, outcome: Outcome, *, actor: str, at: datetime) -> JobStatus:
    """End an open attempt, give its device back, and move its job where `records.retries` says.

    Raises:
        LeaseLost: the attempt has ended already.
    """
    job = lock_job(session, job_id)
    attempt = session.get_one(AttemptTable, attempt_id, populate_existing=True)
    ended = rows_changed(
        session,
        update(AttemptTable)
        .where(AttemptTable.id == attempt_id, AttemptTable.status.in_(OPEN_ATTEMPTS))
        .values(status=outcome.status, reason_code=outcome.code, reason_text=outcome.text or None, finished_at=at),
    )
    if ended != 1:
        raise LeaseLost(f"Attempt {attempt_id} of job {job_id} has ended already.")
    session.execute(delete(LeaseTable).where(LeaseTable.attempt_id == attempt_id))
    add_event(session, job_id, "attempt_ended", actor=actor, at=at, code=outcome.code, text=_ending(attempt, outcome))
    if job.status == JobStatus.QUEUED:  # placed but never begun: the job has not moved
        change(session, job_id, reason_code=None, reason_text=None)
        return JobStatus.QUEUED
    return _settle(session, job, attempt, outcome, actor=actor, at=at)


def expire(session: Session, *, at: datetime) -> list[int]:
    """End every attempt whose lease has run out, and return the ids of their jobs."""
    lock_pass(session, "schedule")
    lapsed = session.execute(
        select(AttemptTable.id, AttemptTable.job_id)
        .join(LeaseTable, LeaseTable.attempt_id == AttemptTable.id)
        .where(LeaseTable.expires_at < at)
        .order_by(AttemptTable.job_id)
    ).all()
    text = "Its worker was not heard from until the lease ran out."
    return _end_lost(session, ((row.id, row.job_id) for row in lapsed), text, lapsed_at=at, at=at)


def expire_of_worker(
    session: Session, worker_ids: Iterable[int], *, at: datetime, text: str = "Its worker stopped without a word."
) -> list[int]:
    """End every open attempt of workers that are known to be gone, and return the ids of their jobs."""
    lock_pass(session, "schedule")
    orphans = session.execute(
        select(AttemptTable.id, AttemptTable.job_id)
        .where(AttemptTable.worker_id.in_(list(worker_ids)), AttemptTable.status.in_(OPEN_ATTEMPTS))
        .order_by(AttemptTable.job_id)
    ).all()
    return _end_lost(session, ((row.id, row.job_id) for row in orphans), text, at=at)


def _end_lost(
    session: Session,
    attempts: Iterable[tuple[int, int]],
    text: str,
    *,
    at: datetime,
    lapsed_at: datetime | None = None,
) -> list[int]:
    ended = []
    for attempt_id, job_id in attempts:
        lock_job(session, job_id)
        lease = session.get(LeaseTable, attempt_id, populate_existing=True)
        renewed = lapsed_at is not None and lease is not None and lease.expires_at >= lapsed_at
        if lease is None or renewed:  # its worker spoke, or ended it, between our look and our lock
            continue
        finish(session, attempt_id, job_id, Outcome.lost(text), actor="yard", at=at)
        ended.append(job_id)
    return ended


def _settle(
    session: Session, job: JobTable, attempt: AttemptTable, outcome: Outcome, *, actor: str, at: datetime
) -> JobStatus:
    """Move a running job after its attempt."""
    if job.cancel_requested_at is not None and outcome.status != AttemptStatus.SUCCEEDED:
        outcome = Outcome.cancelled()
    device = session.get_one(DeviceTable, attempt.device_id)
    may_grow = outcome.code == OutOfMemory.code and attempt.memory_bytes < _NEARLY_ALL * device.memory_bytes
    if may_grow:
        outgrow(session, job, lent_bytes=attempt.memory_bytes, device_bytes=device.memory_bytes)
    verdict = retries.decide(
        outcome,
        may_grow=may_grow,
        started=attempt.started_at is not None,
        retries_left=job.retries_left,
        # Not the attempt's number: interrupted attempts cost nothing.
        retries_spent=max(job.spec["max_retries"] - job.retries_left, 0),
        shortage=find_answer(session, job, attempt, outcome),
    )
    columns: dict[str, Any] = {}
    if verdict.status == JobStatus.SUCCEEDED:
        columns["progress"] = 1.0
    if verdict.status == JobStatus.QUEUED:
        columns["not_before"] = at + verdict.wait if verdict.wait else None
        columns["live"] = {}
    if verdict.spends_retry:
        columns["retries_left"] = job.retries_left - 1
    if verdict.rung is not None:
        columns["thrift"] = verdict.rung.model_dump()
        add_event(session, job.id, "rung", actor="yard", at=at, code=verdict.code, text=verdict.text)
    move(session, job, verdict.status, actor=actor, at=at, code=verdict.code, text=verdict.text, **columns)
    if verdict.status != JobStatus.QUEUED:
        finish_run(session, job.id, at=at)
    if verdict.status == JobStatus.SUCCEEDED:
        remember(session, job, attempt, at=at)
        teach(session, job)
    return verdict.status


def _extend(session: Session, attempt_id: int, until: datetime) -> bool:
    statement = update(LeaseTable).where(LeaseTable.attempt_id == attempt_id).values(expires_at=until)
    return rows_changed(session, statement) == 1


def _guard_capacity(session: Session, device: DeviceTable, *, memory_bytes: int, threads: int) -> None:
    lock_pass(session, "schedule")  # nobody else lends meanwhile
    held, used, count = session.execute(
        select(
            func.coalesce(func.sum(LeaseTable.memory_bytes), 0),
            func.coalesce(func.sum(LeaseTable.threads), 0),
            func.count(),
        ).where(LeaseTable.device_id == device.id)
    ).one()
    short = [
        f"{wanted:,} {what} with {have:,} of {most:,} lent already"
        for what, wanted, have, most in (
            ("bytes", memory_bytes, int(held), device.memory_bytes),
            ("threads", 0 if device.kind == "gpu" else threads, int(used), device.threads),
            ("places", 1, count, device.slots),
        )
        if wanted and have + wanted > most
    ]
    if short:
        raise OverCapacity(f"{device.name} cannot lend {' and '.join(short)}.")


def _part_words(device: DeviceTable, memory_bytes: int, threads: int) -> str:
    """What an attempt has, for people: `gpu:0`, or `5.2 GB of gpu:0`, or `0.6 GB and 1 thread of cpu:0`."""
    if memory_bytes >= _NEARLY_ALL * device.memory_bytes:
        return device.name
    part = size_words(memory_bytes)
    if device.kind != "gpu":
        part += " and 1 thread" if threads == 1 else f" and {threads} threads"
    return f"{part} of {device.name}"


def _ending(attempt: AttemptTable, outcome: Outcome) -> str:
    return f"Attempt {attempt.number} {outcome.status}. {outcome.text}".strip()
