"""The sweep: ends attempts and checks of datasets that fell silent, drops old uploads and pictures, and finds what to
ring again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from records.attempts import expire
from records.database import lock_pass
from records.intakes import expire_intakes
from records.pictures import expire_pictures
from records.schedule import Bell
from records.states import AttemptStatus
from records.tables import AttemptTable, LeaseTable, WorkerTable
from records.uploads import expire_uploads
from records.workers import mark_silent_workers
from records.yard import note_time

LAST_SWEEP = "last_sweep"


@dataclass(frozen=True)
class Swept:
    """What a sweep found."""

    expired_jobs: list[int]
    unheard: list[Bell]
    """Attempts that were placed a while ago and not taken up: their message may be lost."""
    expired_intakes: list[int]
    """Versions of datasets whose check was lost."""
    expired_uploads: list[str]
    """Uploads that nobody touched for a day: delete their files."""


def sweep(session: Session, *, silent_s: float, unheard_s: float, at: datetime) -> Swept:
    """End what has lapsed and collect what must be rung again.

    Args:
        session: a writing transaction.
        silent_s: a worker without a sign of life for so long is offline.
        unheard_s: an attempt placed so long ago and not claimed is rung again.
        at: now.
    """
    lock_pass(session, "sweep")
    expired = expire(session, at=at)
    mark_silent_workers(session, silent_s=silent_s, at=at)
    expire_pictures(session, at=at)
    note_time(session, LAST_SWEEP, at)
    return Swept(
        expired_jobs=expired,
        unheard=_unheard(session, at - timedelta(seconds=unheard_s)),
        expired_intakes=expire_intakes(session, at=at),
        expired_uploads=expire_uploads(session, at=at),
    )


def _unheard(session: Session, before: datetime) -> list[Bell]:
    rows = session.execute(
        select(WorkerTable.queue, AttemptTable.id)
        .join(WorkerTable, WorkerTable.id == AttemptTable.worker_id)
        .where(AttemptTable.id.in_(select(LeaseTable.attempt_id)))  # few, where attempts grow for ever
        .where(AttemptTable.status == AttemptStatus.PLACED, AttemptTable.placed_at < before)
    )
    return [Bell(*row) for row in rows]
