"""Promises of when waiting jobs start: made once, kept on record, and compared with what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from records.placing import Span
from records.placing.promising import LOOKED_AT, due_after, ratio
from records.tables import JobTable, PromiseTable

_SLACK_S = 1.0
"""Nobody is told finer times."""


class Outcome(NamedTuple):
    """A promise and what came of it."""

    job_id: int
    made_at: datetime
    starts_from: datetime
    starts_at: datetime
    starts_until: datetime
    started_at: datetime

    @property
    def kept(self) -> bool:
        """Whether the job started within the range."""
        return is_kept(self.starts_from, self.starts_until, self.started_at)

    @property
    def ratio(self) -> float:
        """How the wait came out beside what was expected."""
        expected, actual = self.starts_at - self.made_at, self.started_at - self.made_at
        return ratio(expected.total_seconds(), actual.total_seconds())


def is_kept(starts_from: datetime, starts_until: datetime, started_at: datetime) -> bool:
    """Whether a start lies in the range."""
    slack = timedelta(seconds=_SLACK_S)
    return starts_from - slack <= started_at <= starts_until + slack


def make_promises(session: Session, waits: Mapping[int, Span], *, at: datetime) -> None:
    """Put promises on record, for jobs that have none. `waits` are in seconds from now."""
    rows = [{"job_id": job_id, "made_at": at, **starts(wait, at)} for job_id, wait in waits.items()]
    if rows:
        session.execute(insert(PromiseTable), rows)


def starts(wait: Span, at: datetime) -> dict[str, datetime]:
    """The columns of a wait in seconds from `at`."""
    low, likely, high = (at + timedelta(seconds=round(length)) for length in wait)
    return {"starts_from": low, "starts_at": likely, "starts_until": high}


def due_at(made_at: datetime, likely: datetime, latest: datetime) -> datetime:
    """When a job with this promise goes before others."""
    span = Span(0.0, (likely - made_at).total_seconds(), (latest - made_at).total_seconds())
    return made_at + timedelta(seconds=due_after(span))


def list_outcomes(session: Session, *, limit: int = LOOKED_AT) -> Sequence[Outcome]:
    """The newest promises that came out: those of jobs that have started."""
    query = (
        select(
            PromiseTable.job_id,
            PromiseTable.made_at,
            PromiseTable.starts_from,
            PromiseTable.starts_at,
            PromiseTable.starts_until,
            JobTable.started_at,
        )
        .join(JobTable, JobTable.id == PromiseTable.job_id)
        .where(JobTable.started_at >= PromiseTable.made_at)
        .order_by(PromiseTable.job_id.desc())
        .limit(limit)
    )
    rows: Sequence[Any] = session.execute(query).all()
    return [Outcome(*row) for row in rows]
