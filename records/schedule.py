"""One pass of the scheduler: snapshot, `place`, attempts with leases. Only one pass runs at a time in the yard."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from records.attempts import place_attempt
from records.database import lock_pass
from records.jobs import explain, lock_job
from records.placing import WHOLE, Device, Lease, Plan, Reason, Snapshot, Span, WaitingJob, place
from records.states import OPEN_ATTEMPTS, JobStatus
from records.tables import AttemptTable, DeviceTable, JobTable, LeaseTable, WorkerTable
from records.workers import ONLINE

_IDS_A_STATEMENT = 500
"""Well below the number of variables that SQLite takes."""
_UNKNOWN = Span(60.0, 900.0, 4 * 3600.0)


@dataclass(frozen=True)
class Bell:
    """A message to send once the pass has committed: tell this queue of this attempt."""

    queue: str
    attempt_id: int


def run_pass(session: Session, *, lease_s: float, at: datetime) -> list[Bell]:
    """Place what can be placed, and give every other waiting job its reason."""
    lock_pass(session, "schedule")
    snapshot = take_snapshot(session, at=at)
    plan = place(snapshot)
    bells = []
    for placement in plan.placements:
        job = lock_job(session, placement.job_id)
        if job.status != JobStatus.QUEUED:  # cancelled since the snapshot
            continue
        device = session.get_one(DeviceTable, placement.device_id)
        attempt = place_attempt(
            session,
            job,
            device,
            memory_bytes=placement.memory_bytes,
            expires_at=at + timedelta(seconds=lease_s),
            at=at,
        )
        bells.append(Bell(session.get_one(WorkerTable, device.worker_id).queue, attempt.id))
    _write_reasons(session, plan)
    return bells


def take_snapshot(session: Session, *, at: datetime) -> Snapshot:
    """The queue and the devices, as `place` wants them."""
    has_attempt = exists().where(AttemptTable.job_id == JobTable.id, AttemptTable.status.in_(OPEN_ATTEMPTS))
    waiting = session.execute(
        select(JobTable.id, JobTable.owner_id, JobTable.priority, JobTable.not_before)
        .where(JobTable.status == JobStatus.QUEUED, ~has_attempt)
        .order_by(JobTable.priority.desc(), JobTable.id)
    )
    devices = session.execute(
        select(DeviceTable.id, DeviceTable.name, DeviceTable.kind, DeviceTable.memory_bytes, DeviceTable.threads)
        .join(WorkerTable, WorkerTable.id == DeviceTable.worker_id)
        .where(WorkerTable.status == ONLINE)
    ).all()
    leases = _leases(session)
    return Snapshot(
        at=at,
        waiting=[WaitingJob(row.id, row.owner_id, row.priority, WHOLE, _UNKNOWN, row.not_before) for row in waiting],
        devices=[Device(*row, leases=leases[row.id]) for row in devices],
    )


def _leases(session: Session) -> dict[int, list[Lease]]:
    rows = session.execute(
        select(LeaseTable.device_id, LeaseTable.memory_bytes, JobTable.id, JobTable.owner_id, JobTable.priority)
        .join(AttemptTable, AttemptTable.id == LeaseTable.attempt_id)
        .join(JobTable, JobTable.id == AttemptTable.job_id)
    )
    found: dict[int, list[Lease]] = defaultdict(list)
    for row in rows:
        lease = Lease(row.id, row.owner_id, row.priority, row.memory_bytes, threads=1, held_s=0.0, left=_UNKNOWN)
        found[row.device_id].append(lease)
    return found


def _write_reasons(session: Session, plan: Plan) -> None:
    """Store the reasons that have changed, one statement a reason; an unchanged queue costs no writes."""
    stored = session.execute(
        select(JobTable.id, JobTable.reason_code, JobTable.reason_text).where(JobTable.status == JobStatus.QUEUED)
    )
    changed: dict[Reason, list[int]] = defaultdict(list)
    for row in stored:
        reason = plan.reasons.get(row.id)
        if reason is not None and (row.reason_code, row.reason_text) != (reason.code, reason.text):
            changed[reason].append(row.id)
    for reason, job_ids in changed.items():
        for start in range(0, len(job_ids), _IDS_A_STATEMENT):
            explain(session, job_ids[start : start + _IDS_A_STATEMENT], code=reason.code, text=reason.text)
