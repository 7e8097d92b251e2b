"""Jobs that have run to their end, as the scheduler saw them: what a replay plays again. Nothing here writes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from records.durations import seconds
from records.states import FINISHED
from records.tables import AttemptTable, JobTable, UserTable


class PastJob(NamedTuple):
    """One job."""

    job_id: int
    owner: str
    submitted_at: datetime
    memory_bytes: int | None
    """Lent to its last attempt; None for one that wanted a whole device."""
    seconds: float
    """For which it held a device, over all attempts."""
    wait_s: float
    """From its submission to its first start."""


def list_past(session: Session, *, before: int | None = None, limit: int = 200) -> Sequence[PastJob]:
    """Finished jobs that had a device, the newest first; those with an id below `before`."""
    query = (
        select(
            *(JobTable.id, JobTable.created_at, JobTable.started_at, JobTable.cpu_bytes, JobTable.gpu_bytes),
            UserTable.name.label("owner"),
        )
        .join(UserTable, UserTable.id == JobTable.owner_id)
        .where(JobTable.status.in_(FINISHED), JobTable.started_at.is_not(None))
        .order_by(JobTable.id.desc())
        .limit(limit)
    )
    jobs = session.execute(query if before is None else query.where(JobTable.id < before)).all()
    attempts: dict[int, list[Any]] = defaultdict(list)
    for row in session.execute(
        select(AttemptTable.job_id, AttemptTable.memory_bytes, AttemptTable.placed_at, AttemptTable.finished_at)
        .where(AttemptTable.job_id.in_([job.id for job in jobs]), AttemptTable.finished_at.is_not(None))
        .order_by(AttemptTable.job_id, AttemptTable.number)
    ):
        attempts[row.job_id].append(row)
    return [_past(job, attempts[job.id]) for job in jobs if attempts[job.id]]


def _past(job: Any, attempts: Sequence[Any]) -> PastJob:
    whole = job.cpu_bytes is None and job.gpu_bytes is None
    return PastJob(
        job.id,
        job.owner,
        job.created_at,
        None if whole else attempts[-1].memory_bytes,
        sum(map(seconds, attempts)),
        (job.started_at - job.created_at).total_seconds(),
    )
