"""Workers and their devices, as the yard knows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session, aliased

from records.attempts import expire_of_worker
from records.database import lock_pass, rows_changed
from records.intakes import expire_intakes_of_worker
from records.tables import AttemptTable, DeviceTable, LeaseTable, WorkerTable

ONLINE, DRAINING, OFFLINE = "online", "draining", "offline"


@dataclass(frozen=True)
class FoundDevice:
    """A device that a worker found on its machine."""

    name: str
    kind: str
    number: int
    model: str
    memory_bytes: int
    threads: int
    slots: int = 1
    """Attempts that may hold a part of it at a time."""


def worker_queue(name: str) -> str:
    """The Celery queue on which a worker hears of its attempts."""
    return f"trainyard.worker.{name}"


def register(
    session: Session,
    name: str,
    *,
    host: str,
    pid: int,
    version: str,
    devices: Sequence[FoundDevice],
    at: datetime,
) -> WorkerTable:
    """A new life of the worker `name`. What its earlier lives held is freed: their parent process is gone."""
    lock_pass(session, "schedule")  # of two lives that begin at once, the later ends the earlier
    earlier = list(session.scalars(select(WorkerTable.id).where(WorkerTable.name == name)))
    expire_of_worker(session, earlier, at=at)
    expire_intakes_of_worker(session, earlier, at=at)
    session.execute(update(WorkerTable).where(WorkerTable.id.in_(earlier)).values(status=OFFLINE))
    worker = WorkerTable(
        name=name,
        queue=worker_queue(name),
        host=host,
        pid=pid,
        version=version,
        status=ONLINE,
        started_at=at,
        seen_at=at,
    )
    session.add(worker)
    session.flush()
    for device in devices:
        session.add(DeviceTable(worker_id=worker.id, taken_bytes=0, takers=[], **vars(device)))
    session.flush()
    return worker


def note_worker(session: Session, worker_id: int, status: str, *, at: datetime) -> bool:
    """A sign of life. False, and nothing written, once a later life of the same worker has begun."""
    later = aliased(WorkerTable)
    superseded = exists().where(later.name == WorkerTable.name, later.id > WorkerTable.id)
    statement = update(WorkerTable).where(WorkerTable.id == worker_id, ~superseded)
    return rows_changed(session, statement.values(status=status, seen_at=at)) == 1


def holdings(session: Session, worker_id: int) -> list[tuple[DeviceTable, list[int], int]]:
    """The GPUs of a worker, each with the process ids of the children on it and the bytes that are lent of it."""
    rows = session.execute(
        select(DeviceTable, AttemptTable.pid, LeaseTable.memory_bytes)
        .outerjoin(LeaseTable, LeaseTable.device_id == DeviceTable.id)
        .outerjoin(AttemptTable, AttemptTable.id == LeaseTable.attempt_id)
        .where(DeviceTable.worker_id == worker_id, DeviceTable.kind == "gpu")
        .order_by(DeviceTable.id)
    )
    found: dict[int, tuple[DeviceTable, list[int], int]] = {}
    for device, pid, lent_bytes in rows:
        _, pids, lent = found.get(device.id, (device, [], 0))
        found[device.id] = device, [*pids, pid] if pid else pids, lent + (lent_bytes or 0)
    return list(found.values())


def note_taken(session: Session, device_id: int, memory_bytes: int, takers: Sequence[dict[str, Any]]) -> None:
    """Write what programs outside the yard hold of a device."""
    statement = update(DeviceTable).where(DeviceTable.id == device_id)
    session.execute(statement.values(taken_bytes=memory_bytes, takers=list(takers)))


def mark_silent_workers(session: Session, *, silent_s: float, at: datetime) -> None:
    """Count workers as offline that gave no sign of life for so long. They count again once they do."""
    limit = at - timedelta(seconds=silent_s)
    session.execute(
        update(WorkerTable).where(WorkerTable.status != OFFLINE, WorkerTable.seen_at < limit).values(status=OFFLINE)
    )
