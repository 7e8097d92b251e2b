"""Workers and their devices, as the yard knows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session, aliased

from records.attempts import expire_of_worker
from records.database import lock_pass, rows_changed
from records.intakes import expire_intakes_of_worker
from records.tables import DeviceTable, WorkerTable

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
        session.add(DeviceTable(worker_id=worker.id, **vars(device)))
    session.flush()
    return worker


def note_worker(session: Session, worker_id: int, status: str, *, at: datetime) -> bool:
    """A sign of life. False, and nothing written, once a later life of the same worker has begun."""
    later = aliased(WorkerTable)
    superseded = exists().where(later.name == WorkerTable.name, later.id > WorkerTable.id)
    statement = update(WorkerTable).where(WorkerTable.id == worker_id, ~superseded)
    return rows_changed(session, statement.values(status=status, seen_at=at)) == 1


def mark_silent_workers(session: Session, *, silent_s: float, at: datetime) -> None:
    """Count workers as offline that gave no sign of life for so long. They count again once they do."""
    limit = at - timedelta(seconds=silent_s)
    session.execute(
        update(WorkerTable).where(WorkerTable.status != OFFLINE, WorkerTable.seen_at < limit).values(status=OFFLINE)
    )
