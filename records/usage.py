"""What people have used of the devices, from the attempts that are on record: no other book is kept.

A use is the part of a device that an attempt held, by memory or by threads, times the seconds for which it held it;
`byte-seconds` multiply it by the device's memory, so that a large device counts for more. An attempt counts at the
middle of the time for which it held its device. Nothing here writes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, cast, func, select
from sqlalchemy import Float as SqlFloat
from sqlalchemy import Integer as SqlInteger
from sqlalchemy.orm import Session

from records.tables import AttemptTable, DeviceTable, JobTable

HALF_LIVES = 8
"""What was used longer ago than so many half-lives counts no more: less than half a hundredth is left of it."""
_STEPS_A_HALF_LIFE = 12
WEEK = timedelta(days=7)
DAY_S = 24 * 3600


class Use(NamedTuple):
    """What one person used in one stretch of time."""

    owner_id: int
    step: int
    """Number of the stretch since 1970."""
    byte_s: float
    device_s: float
    """Seconds of whole devices."""


def decayed_use(session: Session, *, half_life_s: float, at: datetime) -> dict[int, float]:
    """By person: byte-seconds of attempts that have ended, halved for every half-life that has passed since."""
    step_s = half_life_s / _STEPS_A_HALF_LIFE
    used: dict[int, float] = defaultdict(float)
    for use in sum_use(session, since=at - timedelta(seconds=HALF_LIVES * half_life_s), step_s=step_s):
        ago_s = max(0.0, at.timestamp() - (use.step + 0.5) * step_s)
        used[use.owner_id] += use.byte_s * 0.5 ** (ago_s / half_life_s)
    return dict(used)


def week_hours(session: Session, *, at: datetime) -> dict[int, float]:
    """By person: hours of whole devices in the week before, with what runs now."""
    hours: dict[int, float] = defaultdict(float)
    for use in sum_use(session, since=at - WEEK, step_s=DAY_S):
        hours[use.owner_id] += use.device_s / 3600
    running = select(JobTable.owner_id, AttemptTable.share, AttemptTable.placed_at).join(
        JobTable, JobTable.id == AttemptTable.job_id
    )
    for row in session.execute(running.where(AttemptTable.finished_at.is_(None))):
        hours[row.owner_id] += row.share * (at - row.placed_at).total_seconds() / 3600
    return dict(hours)


def sum_use(session: Session, *, since: datetime, step_s: float, owner_id: int | None = None) -> Iterable[Use]:
    """What was used by attempts that ended after `since`, by person and stretch of time; one statement.

    Args:
        session: for reading.
        since: attempts that ended earlier are left out.
        step_s: length of a stretch, in seconds; stretches are counted from 1970.
        owner_id: only this person's.
    """
    held_s = _epoch(session, AttemptTable.finished_at) - _epoch(session, AttemptTable.placed_at)
    middle_s = _epoch(session, AttemptTable.placed_at) + held_s / 2
    step = (
        cast(func.floor(middle_s / step_s), SqlInteger)
        if _is_postgresql(session)
        else cast(middle_s / step_s, SqlInteger)
    )
    device_s = AttemptTable.share * held_s
    query = (
        select(
            JobTable.owner_id,
            step.label("step"),
            func.sum(device_s * cast(DeviceTable.memory_bytes, SqlFloat)),
            func.sum(device_s),
        )
        .join(JobTable, JobTable.id == AttemptTable.job_id)
        .join(DeviceTable, DeviceTable.id == AttemptTable.device_id)
        .where(AttemptTable.finished_at > since)
        .group_by(JobTable.owner_id, "step")
    )
    if owner_id is not None:
        query = query.where(JobTable.owner_id == owner_id)
    return [Use(row[0], row[1], float(row[2]), float(row[3])) for row in session.execute(query)]


def _epoch(session: Session, column: Any) -> ColumnElement[float]:
    """Seconds since 1970 of a time, with their fraction."""
    if _is_postgresql(session):
        return cast(func.extract("epoch", column), SqlFloat)
    return (func.julianday(column) - 2_440_587.5) * 86_400.0


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
