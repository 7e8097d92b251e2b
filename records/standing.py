"""How the yard stands, in numbers: for whoever runs it and for what watches it. Nothing here writes.

Every statement looks at what is open, or at a bounded stretch of what has ended, but for one count of all attempts.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from records.estimates import Measured, list_measured
from records.states import OPEN_ATTEMPTS, JobStatus
from records.sweep import LAST_SWEEP
from records.tables import AttemptTable, DeviceTable, JobTable, LeaseTable, WorkerTable
from records.yard import read_time

LOOKED_BACK = timedelta(hours=1)
"""Jobs that began within this time tell how long one waits."""
_MOST_WAITS = 10_000
SHARES = (0.5, 0.9, 0.99)
"""The quantiles that are told."""


class Waiting(NamedTuple):
    """Jobs that wait for the same reason."""

    reason: str
    """The code of the reason; empty before the scheduler has looked."""
    jobs: int
    oldest_s: float
    """Since the one that waits longest was submitted."""


class Outcomes(NamedTuple):
    """Attempts that stand, or ended, in the same way."""

    status: str
    code: str
    """Why; empty where all went well."""
    attempts: int


class DeviceMemory(NamedTuple):
    """A device of a worker that is not offline: bytes there are, lent to attempts, used by them, and held by others."""

    worker: str
    device: str
    kind: str
    memory_bytes: int
    lent_bytes: int
    used_bytes: int
    """The peaks that its open attempts have measured so far."""
    leases: int
    taken_bytes: int
    """Held by programs outside the yard."""


class Rightness(NamedTuple):
    """Estimated peaks beside those measured, for one kind of device."""

    kind: str
    attempts: int
    in_range: int
    """Of those, how many lie in the range that was told."""
    ratios: dict[float, float]
    """Quantiles of estimated ÷ measured: above 1 where too much was estimated."""


def list_waiting(session: Session, *, at: datetime) -> list[Waiting]:
    """The queue by reason."""
    oldest = func.min(JobTable.created_at, type_=JobTable.created_at.type)
    query = select(JobTable.reason_code, func.count(), oldest).where(JobTable.status == JobStatus.QUEUED)
    rows = session.execute(query.group_by(JobTable.reason_code).order_by(JobTable.reason_code))
    return [Waiting(reason or "", jobs, (at - since).total_seconds()) for reason, jobs, since in rows]


def recent_waits(session: Session, *, at: datetime) -> list[float]:
    """Seconds from submit to start of the jobs that began lately, the shortest first."""
    query = select(JobTable.created_at, JobTable.started_at).where(JobTable.started_at >= at - LOOKED_BACK)
    rows = session.execute(query.order_by(JobTable.started_at.desc()).limit(_MOST_WAITS))
    return sorted((began - asked).total_seconds() for asked, began in rows if began is not None)


def count_outcomes(session: Session) -> list[Outcomes]:
    """All attempts by how they stand and why."""
    columns = AttemptTable.status, AttemptTable.reason_code
    rows = session.execute(select(*columns, func.count()).group_by(*columns).order_by(*columns))
    return [Outcomes(status, code or "", attempts) for status, code, attempts in rows]


def list_memory(session: Session) -> list[DeviceMemory]:
    """The memory of each device, and what of it is lent and used."""
    open_ones = AttemptTable.status.in_(OPEN_ATTEMPTS)
    rows = session.execute(
        select(
            WorkerTable.name,
            DeviceTable.name,
            DeviceTable.kind,
            DeviceTable.memory_bytes,
            func.coalesce(func.sum(LeaseTable.memory_bytes), 0),
            func.coalesce(func.sum(AttemptTable.peak_bytes), 0),
            func.count(LeaseTable.attempt_id),
            DeviceTable.taken_bytes,
        )
        .join(WorkerTable, WorkerTable.id == DeviceTable.worker_id)
        .outerjoin(LeaseTable, LeaseTable.device_id == DeviceTable.id)
        .outerjoin(AttemptTable, (AttemptTable.id == LeaseTable.attempt_id) & open_ones)
        .where(WorkerTable.status != "offline")
        .group_by(WorkerTable.id, DeviceTable.id)
        .order_by(WorkerTable.name, DeviceTable.name)
    )
    return [DeviceMemory(*row[:4], int(row[4] or 0), int(row[5] or 0), *row[6:]) for row in rows]


def list_rightness(session: Session, *, form: int) -> list[Rightness]:
    """How right the newest estimates of this form (`ml.estimates.estimate.FORM`) were, by kind of device."""
    by_kind: dict[str, list[Measured]] = {}
    for measured in list_measured(session, form=form):
        by_kind.setdefault(measured.device_kind, []).append(measured)
    return [_rightness(kind, found) for kind, found in sorted(by_kind.items())]


def last_sweep(session: Session) -> datetime | None:
    """When a worker last swept well; None before the first sweep."""
    return read_time(session, LAST_SWEEP)


def quantiles(values: list[float]) -> dict[float, float]:
    """The value below which each of `SHARES` of some sorted values lies; empty for none."""
    return {share: values[min(int(share * len(values)), len(values) - 1)] for share in SHARES} if values else {}


def _rightness(kind: str, found: list[Measured]) -> Rightness:
    ratios = sorted(each.error + 1 for each in found)
    return Rightness(kind, len(found), sum(each.in_range for each in found), quantiles(ratios))
