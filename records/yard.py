"""Single facts about the yard that its processes share."""

from __future__ import annotations

import secrets

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
