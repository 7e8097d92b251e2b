"""When waiting jobs are expected to start, in their rows: written when it has changed enough to be worth telling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from records.placing import Forecast, Plan, Span
from records.placing.promising import promised, ratio
from records.promises import list_outcomes, make_promises, starts
from records.states import JobStatus
from records.tables import JobTable

_WORTH_TELLING_S, _WORTH_TELLING = 60.0, 0.25
"""An expected start is written anew when it has moved by a minute and by a quarter of the wait."""


def write_forecasts(session: Session, plan: Plan, waiting: Sequence[Any], *, at: datetime) -> None:
    """Write the expected starts that have moved, and a promise for each job that waits for the first time.

    Args:
        session: a writing transaction.
        plan: of this pass.
        waiting: rows from `records.snapshots.read_waiting`, as they were before it.
        at: now.
    """
    moved = [row for row in waiting if _has_moved(row, plan.forecasts.get(row.id), at)]
    if not moved:
        return
    ratios = [outcome.ratio for outcome in list_outcomes(session)]
    ratios += _late(waiting, at)
    waits = {row.id: promised(max(0.0, plan.forecasts[row.id].start_s), ratios) for row in moved}
    first = [row for row in moved if row.promised_at is None and row.started_at is None]
    make_promises(session, {row.id: waits[row.id] for row in first}, at=at)
    _write(session, waits, at)


def _has_moved(row: Any, forecast: Forecast | None, at: datetime) -> bool:
    if forecast is None:
        return False
    if row.starts_at is None or row.starts_until < at:
        return True
    told_s = (row.starts_at - at).total_seconds()
    moved_s: float = abs(forecast.start_s - max(0.0, told_s))
    return moved_s > max(_WORTH_TELLING_S, _WORTH_TELLING * forecast.start_s)


def _late(waiting: Sequence[Any], at: datetime) -> Iterator[float]:
    """How the promises come out that are late by now, and still wait."""
    for row in waiting:
        if row.promised_at is not None and row.promised_likely < at:
            expected = (row.promised_likely - row.promised_at).total_seconds()
            yield ratio(expected, (at - row.promised_at).total_seconds())


def _write(session: Session, waits: Mapping[int, Span], at: datetime) -> None:
    jobs: Any = JobTable.__table__
    statement = (
        update(jobs)
        .where(jobs.c.id == bindparam("of"), jobs.c.status == JobStatus.QUEUED)
        .values(
            starts_from=bindparam("starts_from"),
            starts_at=bindparam("starts_at"),
            starts_until=bindparam("starts_until"),
            version=jobs.c.version + 1,
        )
    )
    rows = [{"of": job_id, **starts(wait, at)} for job_id, wait in waits.items()]
    session.connection().execute(statement, rows)
