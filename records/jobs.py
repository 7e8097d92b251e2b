"""The life of a job. `move` alone changes a job's status; every change starts with `lock_job`.

Order of locks, always: the job's row first, then its attempt's. Who locks several jobs in one transaction takes
`records.database.lock_pass("schedule")` before the first, or two such transactions could wait for each other.
No function here commits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from records.database import lock_pass, rows_changed
from records.dataset_uses import use_datasets
from records.errors import Conflict, IdempotencyKeyReused, NotFound
from records.likeness import likeness_of
from records.needs import learn
from records.pictures import use_pictures
from records.placing import LAST_RANK
from records.specs import Spec
from records.states import FINISHED, MOVES, OPEN_ATTEMPTS, AttemptStatus, JobStatus
from records.tables import AttemptTable, IdempotencyKeyTable, JobEventTable, JobTable, LeaseTable

# ── beginning ────────────────────────────────────────────────────────────────────────────────────────────────


def submit(
    session: Session,
    spec: Spec,
    *,
    owner_id: int,
    actor: str,
    parameters: int,
    at: datetime,
    estimate: dict[str, Any] | None = None,
    demand: dict[str, Any] | None = None,
    threads: int | None = None,
    datasets: Iterable[str] = (),
    pictures: Collection[int] = (),
    cloned_from: int | None = None,
) -> JobTable:
    """Add a queued job.

    Args:
        session: a writing transaction.
        spec: what was asked.
        owner_id: whose job it is.
        actor: `user:NAME`.
        parameters: of the network.
        at: now.
        estimate: what it is thought to cost.
        demand: what of that a device must have, as `records.needs` takes it; None asks for a whole device.
        threads: processor threads of a CPU device; None asks for all.
        datasets: pinned references of those that it names, which it keeps from being deleted.
        pictures: uploaded ones that it names, which it keeps likewise.
        cloned_from: the job whose spec it began with.

    Raises:
        InvalidSpec: one of the datasets or pictures has been deleted a moment ago.
    """
    job = JobTable(
        kind=spec.kind,
        name=spec.name,
        owner_id=owner_id,
        spec=spec.model_dump(mode="json"),
        parameters=parameters,
        estimate=estimate,
        status=JobStatus.QUEUED,
        priority=spec.priority,
        rank=LAST_RANK,
        demand=demand,
        threads=threads,
        retries_left=spec.max_retries,
        progress=0.0,
        live={},
        version=1,
        cloned_from=cloned_from,
        created_at=at,
    )
    job.likeness = likeness_of(job.spec)
    learn(session, job)
    session.add(job)
    session.flush()
    use_datasets(session, job.id, datasets)
    use_pictures(session, job.id, pictures)
    add_event(session, job.id, "submitted", actor=actor, at=at, to_status=JobStatus.QUEUED, text="Submitted.")
    return job


def find_submitted(session: Session, owner_id: int, key: str, body: bytes) -> int | None:
    """The job that this person's Idempotency-Key already made, if any.

    Another transaction with the same key is waited for, so that of two that race only one makes a job.

    Raises:
        IdempotencyKeyReused: the key came with another body.
    """
    lock_pass(session, f"idempotency.{owner_id}.{key}")
    row = session.get(IdempotencyKeyTable, (owner_id, key))
    if row is None:
        return None
    if row.body_sha256 != hashlib.sha256(body).hexdigest():
        raise IdempotencyKeyReused(f"The key {key!r} already made job {row.job_id} from another body. Use a new key.")
    return row.job_id


def remember_key(session: Session, owner_id: int, key: str, body: bytes, job_id: int, *, at: datetime) -> None:
    """Keep which job a key made. A second transaction with the same key fails on the primary key."""
    digest = hashlib.sha256(body).hexdigest()
    session.add(IdempotencyKeyTable(owner_id=owner_id, key=key, body_sha256=digest, job_id=job_id, created_at=at))
    session.flush()


# ── moving ───────────────────────────────────────────────────────────────────────────────────────────────────


def lock_job(session: Session, job_id: int) -> JobTable:
    """The job's row, locked until the transaction ends and fresh from the database.

    Raises:
        NotFound: there is no such job.
    """
    job = session.scalar(
        select(JobTable).where(JobTable.id == job_id).with_for_update().execution_options(populate_existing=True)
    )
    if job is None:
        raise NotFound(f"There is no job {job_id}.")
    return job


def move(
    session: Session,
    job: JobTable,
    to: JobStatus,
    *,
    actor: str,
    at: datetime,
    code: str | None = None,
    text: str = "",
    **columns: Any,
) -> None:
    """Change a locked job's status, and record who, when, from, to and why.

    Args:
        session: an open writing transaction.
        job: from `lock_job`, in this transaction.
        to: the new status.
        actor: `user:NAME`, `worker:NAME` or `yard`.
        at: now.
        code: the stable reason, kept on the job; None clears it.
        text: the sentence for people.
        columns: other columns to set in the same statement.

    Raises:
        Conflict: `records.states.MOVES` does not allow it, or the row has changed meanwhile.
    """
    before = JobStatus(job.status)
    if to not in MOVES[before]:
        raise Conflict(f"Job {job.id} is {before}; it cannot become {to}.")
    columns |= {"status": to, "reason_code": code, "reason_text": text or None}
    if to in FINISHED:
        columns |= {"finished_at": at}
    if not change(session, job.id, JobTable.status == before, **columns):
        raise Conflict(f"Job {job.id} was {before} a moment ago and is not any more.")
    add_event(session, job.id, "moved", actor=actor, at=at, from_status=before, to_status=to, code=code, text=text)
    session.refresh(job)


def change(session: Session, job_id: int, *where: Any, **columns: Any) -> bool:
    """Set columns other than through `move`'s rules, and grow `version`. False when `where` no longer held."""
    statement = update(JobTable).where(JobTable.id == job_id, *where)
    statement = statement.values(version=JobTable.version + 1, **columns)
    return rows_changed(session, statement) == 1


def explain(session: Session, job_ids: Sequence[int], *, code: str, text: str) -> None:
    """Give those of these jobs that wait one reason why."""
    statement = update(JobTable).where(JobTable.id.in_(job_ids), JobTable.status == JobStatus.QUEUED)
    rows_changed(session, statement.values(version=JobTable.version + 1, reason_code=code, reason_text=text))


def grow_version(session: Session, job_ids: Any) -> None:
    """Grow `version` of the jobs that a SELECT names: something that is shown with them has changed."""
    statement = update(JobTable).where(JobTable.id.in_(job_ids)).values(version=JobTable.version + 1)
    rows_changed(session, statement)


def add_event(session: Session, job_id: int, kind: str, *, actor: str, at: datetime, **columns: Any) -> None:
    """Add to what happened to a job."""
    columns.setdefault("text", "")
    session.add(JobEventTable(job_id=job_id, kind=kind, actor=actor, at=at, **columns))
    session.flush()


# ── what people do ───────────────────────────────────────────────────────────────────────────────────────────


def cancel(session: Session, job_id: int, *, actor: str, at: datetime) -> JobTable:
    """Cancel a waiting job, or ask a running one to stop. Cancelling a cancelled job changes nothing.

    Raises:
        Conflict: the job has finished otherwise.
    """
    job = lock_job(session, job_id)
    if job.status in (JobStatus.SUCCEEDED, JobStatus.FAILED):
        raise Conflict(f"Job {job.id} has already {job.status}; only a queued or running job can be cancelled.")
    if job.status == JobStatus.QUEUED:
        _end_placed_attempt(session, job.id, at=at)
        move(session, job, JobStatus.CANCELLED, actor=actor, at=at, code="cancelled", text=f"Cancelled by {actor}.")
    elif job.status == JobStatus.RUNNING and job.cancel_requested_at is None:
        change(session, job.id, cancel_requested_at=at)
        add_event(session, job.id, "cancel_requested", actor=actor, at=at, text="Asked to stop.")
        session.refresh(job)
    return job


def retry(session: Session, job_id: int, *, actor: str, retries: int, at: datetime) -> JobTable:
    """Queue a failed or cancelled job again; it goes on from its last checkpoint.

    Raises:
        Conflict: the job is waiting, running or has succeeded.
    """
    job = lock_job(session, job_id)
    if JobStatus.QUEUED not in MOVES[JobStatus(job.status)] or job.status == JobStatus.RUNNING:
        raise Conflict(f"Job {job.id} is {job.status}; only a failed or cancelled job can be tried again.")
    move(
        session,
        job,
        JobStatus.QUEUED,
        actor=actor,
        at=at,
        text="Tried again by hand.",
        retries_left=retries,
        cancel_requested_at=None,
        not_before=None,
        finished_at=None,
        live={},
    )
    return job


def _end_placed_attempt(session: Session, job_id: int, *, at: datetime) -> None:
    """End the attempt of a queued job, whose worker has not taken it up."""
    attempt_id = session.scalar(
        select(AttemptTable.id).where(AttemptTable.job_id == job_id, AttemptTable.status.in_(OPEN_ATTEMPTS))
    )
    if attempt_id is None:
        return
    session.execute(
        update(AttemptTable)
        .where(AttemptTable.id == attempt_id)
        .values(status=AttemptStatus.CANCELLED, finished_at=at, reason_code="cancelled")
    )
    session.execute(delete(LeaseTable).where(LeaseTable.attempt_id == attempt_id))
