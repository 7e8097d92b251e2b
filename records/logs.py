"""The log of a job: what its children printed and reported. Bounded, so that a noisy job cannot fill the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from records.tables import LogLineTable

MAX_LINES = 20_000
"""Lines kept of a job; later ones are dropped, and the last kept line says so."""
MAX_LINE_LENGTH = 4_000


class LogLine(NamedTuple):
    """One line, as a worker collects it."""

    at: datetime
    level: str
    text: str


def write_log(session: Session, job_id: int, attempt_number: int, lines: Sequence[LogLine]) -> None:
    """Add lines, as far as the job's log has room."""
    if not lines:
        return
    held = session.scalar(select(func.count()).where(LogLineTable.job_id == job_id)) or 0
    room = MAX_LINES - held
    kept = list(lines[: max(room, 0)])
    if kept and len(lines) >= room:
        kept[-1] = LogLine(kept[-1].at, "warning", f"The log is full at {MAX_LINES} lines; later lines are dropped.")
    session.add_all(
        LogLineTable(
            job_id=job_id,
            attempt_number=attempt_number,
            at=line.at,
            level=line.level,
            text=line.text[:MAX_LINE_LENGTH],
        )
        for line in kept
    )
    session.flush()


def read_log(session: Session, job_id: int, *, after: int = 0, limit: int = 1_000) -> list[LogLineTable]:
    """Lines with an id above `after`, the oldest first."""
    query = select(LogLineTable).where(LogLineTable.job_id == job_id, LogLineTable.id > after)
    return list(session.scalars(query.order_by(LogLineTable.id).limit(limit)))
