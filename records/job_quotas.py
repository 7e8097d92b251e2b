"""What one person may ask for, as the settings say. Administrators may ask for anything."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from records.accounts import Person
from records.database import lock_pass
from records.errors import PriorityTooHigh, QueueQuotaReached
from records.settings import Settings
from records.specs import BaseSpec
from records.states import JobStatus
from records.tables import JobTable


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
