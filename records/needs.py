"""What a job asks of a device, kept in its row: as estimated, corrected by what was measured, grown after a shortage.

`demand` is, by kind of device, `runtime_bytes`, which a process takes in any case, and `peak_bytes`, the upper end of
what its steps take. Who estimates (`ml.estimates`) makes it; here it is only multiplied and added.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from records.durations import expect
from records.estimates import Correction, find_corrections
from records.states import JobStatus
from records.tables import JobTable

GROWTH = 2
"""After a try that had too little memory, the next asks for so many times what that one was lent."""
_MOST_AT_ONCE = 200


def learn(session: Session, job: JobTable, corrections: Mapping[str, Correction] | None = None) -> None:
    """Bring what the job asks for, and how long it is expected to take, in step with what alike jobs measured."""
    if corrections is None:
        corrections = corrections_for(session, job.spec, job.estimate)
    job.cpu_bytes = needed(job, "cpu", corrections)
    job.gpu_bytes = needed(job, "gpu", corrections)
    lasts = expect(session, job)
    if lasts is not None:
        job.lasts_from_s, job.lasts_s, job.lasts_until_s = lasts


def teach(session: Session, job: JobTable) -> None:
    """A run has gone through: let the waiting jobs that are like it learn from it.

    Those that somebody else has locked learn from the next one: whoever ends a job waits for no other.
    """
    if job.likeness is None:  # from before there were any
        return
    query = select(JobTable).where(JobTable.likeness == job.likeness, JobTable.status == JobStatus.QUEUED)
    corrections = corrections_for(session, job.spec, job.estimate)
    query = query.order_by(JobTable.id).limit(_MOST_AT_ONCE).with_for_update(skip_locked=True)
    for waiting in session.scalars(query):
        learn(session, waiting, corrections)
    session.flush()


def outgrow(session: Session, job: JobTable, *, lent_bytes: int, device_bytes: int) -> None:
    """A try ran out of what it was lent of a device: ask for more from now on, but for no more than that has."""
    job.outgrown_bytes = max(job.outgrown_bytes or 0, min(lent_bytes, device_bytes // GROWTH))
    learn(session, job)
    session.flush()


def needed(job: JobTable, kind: str, corrections: Mapping[str, Correction]) -> int | None:
    """Memory that the job asks of a device of this kind, in bytes; None for a whole one."""
    estimated = None if job.spec.get("exclusive") else needed_of(job.demand, kind, corrections)
    return None if estimated is None else max(estimated, GROWTH * (job.outgrown_bytes or 0))


def needed_of(demand: Mapping[str, Any] | None, kind: str, corrections: Mapping[str, Correction]) -> int | None:
    """What a demand comes to on a device of this kind, corrected, in bytes; None for a whole one."""
    parts = (demand or {}).get(kind)
    if parts is None:
        return None
    factor = corrections[kind].factor if kind in corrections else 1.0
    return int(parts["runtime_bytes"]) + round(int(parts["peak_bytes"]) * factor)


def corrections_for(
    session: Session, spec: dict[str, Any], estimate: Mapping[str, Any] | None
) -> dict[str, Correction]:
    """By kind of device, what alike jobs that measured themselves say of an estimate; nothing where there is none."""
    if estimate is None or "dataset" not in spec:
        return {}
    return find_corrections(session, spec, form=int(estimate.get("form", 0)))
