"""Single facts about the yard that its processes share."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from records.database import upsert
from records.tables import YardTable

_COOKIE_KEY = "cookie_key"


def cookie_key(session: Session) -> str:
    """The secret that signs the pages' cookies: made once, the same for every process. Writes at the first call."""
    value = session.scalar(select(YardTable.value).where(YardTable.name == _COOKIE_KEY))
    if value is not None:
        return value
    made = upsert(session, YardTable).values(name=_COOKIE_KEY, value=secrets.token_urlsafe(48))
    session.execute(made.on_conflict_do_nothing(index_elements=["name"]))
    return session.scalars(select(YardTable.value).where(YardTable.name == _COOKIE_KEY)).one()


def note_time(session: Session, name: str, at: datetime) -> None:
    """Remember a time under a name, in place of the one before."""
    statement = upsert(session, YardTable).values(name=name, value=at.isoformat())
    session.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": at.isoformat()}))


def read_time(session: Session, name: str) -> datetime | None:
    """The time under a name; None where none was noted."""
    value = session.scalar(select(YardTable.value).where(YardTable.name == name))
    return datetime.fromisoformat(value) if value else None
