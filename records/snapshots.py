"""The rows of the yard as the planner's snapshot. Nothing here writes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from records.durations import UNKNOWN
from records.placing import Demand, Device, Lease, Reason, Snapshot, Span, WaitingJob
from records.placing.lasting import left_after
from records.promises import due_at
from records.rules import Rules
from records.states import OPEN_ATTEMPTS, JobStatus
from records.tables import AttemptTable, DeviceTable, JobTable, LeaseTable, PromiseTable, UserTable, WorkerTable
from records.usage import WEEK, decayed_use, week_hours
from records.workers import ONLINE

_STOPS_WITHIN = Span(0.0, 30.0, 60.0)
_SECOND_H = 1 / 3600
_LEAST_PROGRESS = 0.02
_TELLING = frozenset({"training", "painting", "predicting"})
"""Stages whose progress is that of the whole job."""
"""From so much on, a job's own progress tells how long it will take."""

_HAS_ATTEMPT = exists().where(AttemptTable.job_id == JobTable.id, AttemptTable.status.in_(OPEN_ATTEMPTS))
_WAITING = (
    select(
        *(JobTable.id, JobTable.owner_id, JobTable.priority, JobTable.not_before),
        *(JobTable.cpu_bytes, JobTable.gpu_bytes, JobTable.threads),
        *(JobTable.lasts_from_s, JobTable.lasts_s, JobTable.lasts_until_s),
        *(JobTable.rank, JobTable.reason_code, JobTable.reason_text),
        *(JobTable.starts_at, JobTable.starts_until, JobTable.started_at),
        PromiseTable.made_at.label("promised_at"),
        PromiseTable.starts_at.label("promised_likely"),
        PromiseTable.starts_until.label("promised_latest"),
    )
    .outerjoin(PromiseTable, PromiseTable.job_id == JobTable.id)
    .where(JobTable.status == JobStatus.QUEUED, ~_HAS_ATTEMPT)
)


def anybody_waits(session: Session) -> bool:
    """Whether some job waits for a device."""
    found = select(JobTable.id).where(JobTable.status == JobStatus.QUEUED, ~_HAS_ATTEMPT).limit(1)
    return session.scalar(found) is not None


def read_waiting(session: Session) -> Sequence[Any]:
    """What the scheduler must know of every waiting job, and has written of it before."""
    return session.execute(_WAITING).all()


def take_snapshot(
    session: Session, rules: Rules | None = None, *, at: datetime, waiting: Sequence[Any] | None = None
) -> Snapshot:
    """The queue and the devices, as `place` wants them.

    Args:
        session: for reading.
        rules: of the yard.
        at: now.
        waiting: from `read_waiting`, where it has been read already.
    """
    rules = rules or Rules()
    jobs = [_waiting(row) for row in (read_waiting(session) if waiting is None else waiting)]
    devices = _devices(session, at)
    jobs = _with_adapting(session, jobs, devices)
    owners = {job.owner_id for job in jobs}
    # With one person in the queue, what they have used decides nothing.
    used = decayed_use(session, half_life_s=rules.half_life_s, at=at) if len(owners) > 1 else {}
    return Snapshot(at, jobs, devices, used, _barred(session, rules, at) if jobs else {})


def _waiting(row: Any) -> WaitingJob:
    known = row.lasts_s is not None
    return WaitingJob(
        row.id,
        row.owner_id,
        row.priority,
        Demand(row.cpu_bytes, row.gpu_bytes, row.threads),
        Span(row.lasts_from_s, row.lasts_s, row.lasts_until_s) if known else UNKNOWN,
        row.not_before,
        due_at(row.promised_at, row.promised_likely, row.promised_latest) if row.promised_at else None,
    )


def _with_adapting(session: Session, jobs: list[WaitingJob], devices: Sequence[Device]) -> list[WaitingJob]:
    """Jobs that need more than any device has ask for a whole one where their spec lets the yard adapt them to it."""
    large = [job.id for job in jobs if devices and not any(_could_hold(device, job.demand) for device in devices)]
    if not large:
        return jobs
    lets = JobTable.spec["on_oom"].as_string() == "adapt"
    adapting = set(session.scalars(select(JobTable.id).where(JobTable.id.in_(large), lets)))
    return [job._replace(demand=Demand(threads=job.demand.threads)) if job.id in adapting else job for job in jobs]


def _could_hold(device: Device, demand: Demand) -> bool:
    asked = demand.gpu_bytes if device.kind == "gpu" else demand.cpu_bytes
    return asked is None or asked <= device.memory_bytes


def _devices(session: Session, at: datetime) -> list[Device]:
    rows = session.execute(
        select(DeviceTable, WorkerTable.name.label("worker"))
        .join(WorkerTable, WorkerTable.id == DeviceTable.worker_id)
        .where(WorkerTable.status == ONLINE)
    ).all()
    several = len({worker for _, worker in rows}) > 1
    leases = _leases(session, at)
    return [
        Device(
            device.id,
            f"{device.name} of {worker}" if several else device.name,
            device.kind,
            device.memory_bytes,
            device.threads,
            device.slots,
            device.taken_bytes,
            tuple(leases[device.id]),
        )
        for device, worker in rows
    ]


def _leases(session: Session, at: datetime) -> dict[int, list[Lease]]:
    rows = session.execute(
        select(
            *(LeaseTable.device_id, LeaseTable.memory_bytes, LeaseTable.threads),
            *(JobTable.id, JobTable.owner_id, JobTable.priority, JobTable.live, JobTable.progress),
            *(JobTable.lasts_from_s, JobTable.lasts_s, JobTable.lasts_until_s),
            *(AttemptTable.placed_at, AttemptTable.preempted_at),
        )
        .join(AttemptTable, AttemptTable.id == LeaseTable.attempt_id)
        .join(JobTable, JobTable.id == AttemptTable.job_id)
        .order_by(LeaseTable.attempt_id)
    )
    found: dict[int, list[Lease]] = defaultdict(list)
    for row in rows:
        held_s = max(0.0, (at - row.placed_at).total_seconds())
        stopping = row.preempted_at is not None
        left = _STOPS_WITHIN if stopping else _left(row, held_s)
        found[row.device_id].append(
            Lease(row.id, row.owner_id, row.priority, row.memory_bytes, row.threads, held_s, left, stopping)
        )
    return found


def _left(row: Any, held_s: float) -> Span:
    """What is left of a running job: as it says itself, else by its progress, else by what was expected."""
    tells = row.live.get("stage") in _TELLING
    told = row.live.get("time_left_s") if tells else None
    if told is None and row.progress > _LEAST_PROGRESS and tells:
        told = held_s * (1 - row.progress) / row.progress
    if told is not None:
        return Span(0.7 * told, float(told), 1.5 * told + 60)
    known = row.lasts_s is not None
    return left_after(Span(row.lasts_from_s, row.lasts_s, row.lasts_until_s) if known else UNKNOWN, held_s)


def _barred(session: Session, rules: Rules, at: datetime) -> Mapping[int, Reason]:
    """Members who have had their device hours of this week."""
    if not rules.most_week_hours:
        return {}
    hours = week_hours(session, at=at)
    members = session.scalars(select(UserTable.id).where(UserTable.role != "admin"))
    text = (
        f"You have had the {rules.most_week_hours:g} device hours that this yard allows in {WEEK.days} days. "
        "It starts when the older ones are a week ago."
    )
    enough = rules.most_week_hours - _SECOND_H
    return {id: Reason("quota_hours", text) for id in members if hours.get(id, 0.0) >= enough}
