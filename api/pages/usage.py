"""What the page of use shows: hours of devices by person and day, and how much of each limit is used."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from api.visible import only_senders
from records.accounts import Person
from records.database import Database
from records.job_quotas import Standing, standings
from records.settings import Settings
from records.usage_days import daily_use, days_until

DAYS = 14
TITLES = {
    "queued": "Waiting jobs",
    "running": "Running jobs",
    "week_hours": "Device hours in seven days",
    "dataset_bytes": "Datasets and uploads",
}


def usage_page(database: Database, person: Person, settings: Settings, *, at: datetime) -> dict[str, Any]:
    """Everybody's use for an administrator, one's own for others; and one's own limits."""
    with database.read() as session:
        people = daily_use(session, at=at, days=DAYS, owner_id=only_senders())
        limits = standings(session, person, settings, at=at)
    most = max((hours for use in people for hours in use.hours.values()), default=0.0)
    return {"days": days_until(at, DAYS), "people": people, "most": most, "limits": [_limit(each) for each in limits]}


def _limit(standing: Standing) -> dict[str, Any]:
    share = 0.0 if not standing.most else min(1.0, standing.used / standing.most)
    return {"title": TITLES[standing.name], "in_bytes": standing.name == "dataset_bytes", "share": share} | (
        standing._asdict()
    )
