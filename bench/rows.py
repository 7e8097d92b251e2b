"""Rows that a benchmark of the records needs before it can begin, made by the yard's own functions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from records.accounts import create_token, create_user
from records.jobs import submit
from records.specs import parse_spec
from records.tables import DeviceTable, WorkerTable
from records.workers import FoundDevice, register


def add_user(session: Session, *, at: datetime) -> int:
    """A person who owns jobs, by id."""
    return create_user(session, "bench", "admin", at=at).id


def add_token(session: Session, user_id: int, *, at: datetime) -> str:
    """A token of that person."""
    return create_token(session, user_id, "bench", at=at)


def add_worker(session: Session, *, at: datetime) -> tuple[WorkerTable, DeviceTable]:
    """An online worker with one device."""
    found = FoundDevice(name="cpu:0", kind="cpu", number=0, model="bench", memory_bytes=8 * 10**9, threads=2)
    worker = register(session, "bench", host="localhost", pid=1, version="0", devices=[found], at=at)
    return worker, session.query(DeviceTable).filter_by(worker_id=worker.id).one()


def add_job(session: Session, owner_id: int, *, at: datetime) -> int:
    """A queued noop job, by id."""
    spec = parse_spec({"kind": "noop", "steps": 3}, test_kinds=True)
    return submit(session, spec, owner_id=owner_id, actor="user:bench", parameters=0, at=at).id
