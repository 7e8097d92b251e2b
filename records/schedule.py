"""One pass of the scheduler: snapshot, `place`, attempts with leases. Only one pass runs at a time in the yard."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from records.attempts import place_attempt, preempt
from records.database import lock_pass
from records.forecasts import write_forecasts
from records.jobs import explain, lock_job
from records.placing import Plan, Reason, new_ranks, place
from records.rules import Rules
from records.snapshots import read_waiting, take_snapshot
from records.states import JobStatus
from records.tables import DeviceTable, JobTable, WorkerTable

_IDS_A_STATEMENT = 500
"""Well below the number of variables that SQLite takes."""


@dataclass(frozen=True)
class Bell:
    """A message to send once the pass has committed: tell this queue of this attempt."""

    queue: str
    attempt_id: int


def run_pass(session: Session, rules: Rules | None = None, *, lease_s: float, at: datetime) -> list[Bell]:
    """Place what can be placed; give every other waiting job its place, its reason and its expected start."""
    lock_pass(session, "schedule")
    rules = rules or Rules()
    waiting = read_waiting(session)
    snapshot = take_snapshot(session, rules, at=at, waiting=waiting)
    plan = place(snapshot, rules.policy(session))
    bells = _place(session, plan, lease_s=lease_s, at=at)
    for preemption in plan.preemptions:
        preempt(session, preemption.job_id, at=at)
    _write_ranks(session, plan, waiting)
    _write_reasons(session, plan, waiting)
    write_forecasts(session, plan, waiting, at=at)
    return bells


def _place(session: Session, plan: Plan, *, lease_s: float, at: datetime) -> list[Bell]:
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
            threads=placement.threads,
            expires_at=at + timedelta(seconds=lease_s),
            at=at,
        )
        bells.append(Bell(session.get_one(WorkerTable, device.worker_id).queue, attempt.id))
    return bells


def _write_ranks(session: Session, plan: Plan, waiting: Sequence[Any]) -> None:
    """Number the queue in its order, with as few changes as can be. Places are counted from it, so `version` stays."""
    ranks: Mapping[int, float] = {row.id: row.rank for row in waiting}
    priorities = {row.id: row.priority for row in waiting}
    by_priority: dict[int, list[int]] = defaultdict(list)
    for job_id in plan.order:
        by_priority[priorities[job_id]].append(job_id)
    changed = [
        {"of": job_id, "to": rank} for order in by_priority.values() for job_id, rank in new_ranks(order, ranks).items()
    ]
    if changed:
        jobs: Any = JobTable.__table__
        session.connection().execute(
            update(jobs).where(jobs.c.id == bindparam("of")).values(rank=bindparam("to")), changed
        )


def _write_reasons(session: Session, plan: Plan, waiting: Sequence[Any]) -> None:
    """Store the reasons that have changed, one statement a reason; an unchanged queue costs no writes."""
    changed: dict[Reason, list[int]] = defaultdict(list)
    for row in waiting:
        reason = plan.reasons.get(row.id)
        if reason is not None and (row.reason_code, row.reason_text) != reason:
            changed[reason].append(row.id)
    for reason, job_ids in changed.items():
        for start in range(0, len(job_ids), _IDS_A_STATEMENT):
            explain(session, job_ids[start : start + _IDS_A_STATEMENT], code=reason.code, text=reason.text)
