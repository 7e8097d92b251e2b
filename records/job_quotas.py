"""What one person may ask for, as the settings say. Administrators may ask for anything."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from records.accounts import Person
from records.database import lock_pass
from records.errors import PriorityTooHigh, QueueQuotaReached
from records.quotas import used_bytes
from records.settings import Settings
from records.specs import BaseSpec
from records.states import OPEN_ATTEMPTS, JobStatus
from records.tables import AttemptTable, JobTable
from records.usage import week_hours


def check_priority(person: Person, spec: BaseSpec, settings: Settings) -> None:
    """Whether this person may have this priority.

    Raises:
        PriorityTooHigh: they may not.
    """
    if not person.is_admin and spec.priority > settings.most_priority:
        raise PriorityTooHigh(
            f"Expected a priority of at most {settings.most_priority}, got {spec.priority}. "
            "Only administrators may ask for more on this yard."
        )


def check_queue(session: Session, person: Person, settings: Settings) -> None:
    """Whether this person may queue another job. Of two requests at once, the second sees what the first did.

    Raises:
        QueueQuotaReached: as many wait as may.
    """
    if person.is_admin or not settings.most_queued:
        return
    lock_pass(session, f"queue.{person.id}")
    waiting = session.scalar(
        select(func.count()).where(JobTable.owner_id == person.id, JobTable.status == JobStatus.QUEUED)
    )
    if (waiting or 0) >= settings.most_queued:
        raise QueueQuotaReached(
            f"You have {waiting} jobs waiting, and this yard allows each member {settings.most_queued}. "
            "Wait until one has started, or cancel one."
        )


class Standing(NamedTuple):
    """One limit, and how much of it a person has used."""

    name: Literal["queued", "running", "week_hours", "dataset_bytes"]
    used: float
    most: float | None
    """None where the yard sets no limit, and for administrators where it does not hold for them."""


def standings(session: Session, person: Person, settings: Settings, *, at: datetime) -> list[Standing]:
    """What a person has used of each of their limits."""
    open_attempts = (
        select(func.count())
        .select_from(AttemptTable)
        .join(JobTable, JobTable.id == AttemptTable.job_id)
        .where(JobTable.owner_id == person.id, AttemptTable.status.in_(OPEN_ATTEMPTS))
    )
    queued = select(func.count()).where(JobTable.owner_id == person.id, JobTable.status == JobStatus.QUEUED)
    free = person.is_admin
    return [
        Standing("queued", session.scalar(queued) or 0, None if free else settings.most_queued or None),
        Standing("running", session.scalar(open_attempts) or 0, settings.most_running or None),
        Standing(
            "week_hours",
            week_hours(session, at=at).get(person.id, 0.0),
            None if free else settings.most_week_hours or None,
        ),
        Standing("dataset_bytes", used_bytes(session, person.id), settings.quota_dataset_bytes),
    ]
