"""How long a job is expected to take, from how long others took. Nothing here writes.

By the work of jobs that are alike; else by the run times of the same person's, then anybody's jobs of the same kind;
else a stated default, for which `expect` gives None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from records.placing import Span
from records.states import AttemptStatus
from records.tables import AttemptTable, JobTable

UNKNOWN = Span(60.0, 900.0, 4 * 3600.0)
"""Of a job of which nothing is known."""
_LOOKED_AT = 20
_ENOUGH_OF_A_KIND = 5


def expect(session: Session, job: JobTable) -> Span | None:
    """How long an attempt at this job takes; None when nothing like it has succeeded yet."""
    found = _of_alike(session, job) or _of_kind(session, job)
    if found is None:
        return None
    limit = float(job.spec["time_limit_s"])
    return Span(*(min(limit, length) for length in found))


def work_of(spec: Mapping[str, Any], estimate: Mapping[str, Any] | None) -> float:
    """What the run time of alike jobs grows with: multiply-adds of the whole training, or 1 where none are known."""
    if estimate is None:
        return 1.0
    step = float(estimate.get("multiply_adds", {}).get("step", 0))
    epochs = float(spec.get("epochs", 1)) + float(spec.get("head_epochs", 0))
    return step * float(estimate.get("steps_per_epoch", 1)) * epochs or 1.0


def _of_alike(session: Session, job: JobTable) -> Span | None:
    if job.likeness is None:  # from before there were any
        return None
    work = work_of(job.spec, job.estimate)
    rows = _seen(session, JobTable.likeness == job.likeness)
    times = [seconds(row) * work / work_of(row.spec, row.estimate) for row in rows]
    return Span(0.7 * min(times), median(times), 1.5 * max(times)) if times else None


def _of_kind(session: Session, job: JobTable) -> Span | None:
    for owner in (JobTable.owner_id == job.owner_id, JobTable.owner_id.is_not(None)):
        times = [seconds(row) for row in _seen(session, JobTable.kind == job.kind, owner)]
        if len(times) >= _ENOUGH_OF_A_KIND:
            return Span(0.5 * min(times), median(times), 2 * max(times))
    return None


def _seen(session: Session, *where: Any) -> Sequence[Row[Any]]:
    """First attempts that went through, the newest first: later ones only finished what others had begun."""
    return session.execute(
        select(JobTable.spec, JobTable.estimate, AttemptTable.placed_at, AttemptTable.finished_at)
        .join(AttemptTable, AttemptTable.job_id == JobTable.id)
        .where(*where, AttemptTable.status == AttemptStatus.SUCCEEDED, AttemptTable.number == 1)
        .where(AttemptTable.thrift.is_(None))  # those that did without something took another time
        .order_by(AttemptTable.id.desc())
        .limit(_LOOKED_AT)
    ).all()


def seconds(row: Any) -> float:
    """How long an attempt that has ended held its device."""
    return max(0.01, float((row.finished_at - row.placed_at).total_seconds()))
