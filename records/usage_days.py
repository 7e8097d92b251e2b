"""What people have used day by day, with what runs now: what the page of use shows. Nothing here writes."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from records.tables import AttemptTable, JobTable, UserTable
from records.usage import DAY_S, sum_use


class PersonUse(NamedTuple):
    """Hours of whole devices of one person, by day (UTC). An attempt counts whole on the day of its middle."""

    owner_id: int
    name: str
    hours: dict[date, float]

    @property
    def total_hours(self) -> float:
        """Of all these days."""
        return sum(self.hours.values())


def days_until(at: datetime, count: int) -> list[date]:
    """The last so many days, today's at the end."""
    return [at.date() - timedelta(days=ago) for ago in reversed(range(count))]


def daily_use(session: Session, *, at: datetime, days: int, owner_id: int | None = None) -> list[PersonUse]:
    """Who has used how much on each of the last days, the most first; nobody who has used nothing.

    Args:
        session: for reading.
        at: now.
        days: so many, today among them.
        owner_id: only this person's.
    """
    shown = days_until(at, days)
    hours: dict[int, dict[date, float]] = defaultdict(lambda: dict.fromkeys(shown, 0.0))
    since = datetime.combine(shown[0], datetime.min.time(), UTC)
    for use in sum_use(session, since=since, step_s=DAY_S, owner_id=owner_id):
        day = datetime.fromtimestamp(use.step * DAY_S, UTC).date()
        if day in hours[use.owner_id]:
            hours[use.owner_id][day] += use.device_s / 3600
    for person_id, share, placed_at in _running(session, owner_id):
        middle = max(shown[0], (placed_at + (at - placed_at) / 2).date())
        hours[person_id][middle] += share * (at - placed_at).total_seconds() / 3600
    names = {id: name for id, name in session.execute(select(UserTable.id, UserTable.name))}
    found = [PersonUse(id, names[id], by_day) for id, by_day in hours.items() if any(by_day.values())]
    return sorted(found, key=lambda use: (-use.total_hours, use.name))


def _running(session: Session, owner_id: int | None) -> list[tuple[int, float, datetime]]:
    query = (
        select(JobTable.owner_id, AttemptTable.share, AttemptTable.placed_at)
        .join(JobTable, JobTable.id == AttemptTable.job_id)
        .where(AttemptTable.finished_at.is_(None))
    )
    if owner_id is not None:
        query = query.where(JobTable.owner_id == owner_id)
    return [(row[0], row[1], row[2]) for row in session.execute(query)]
