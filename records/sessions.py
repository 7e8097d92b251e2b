"""Who is logged in on the pages. A session ends when it is logged out, with its time, its token or its person.

No function here commits.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy import bindparam, case, delete, or_, select
from sqlalchemy.orm import Session

from records.accounts import LIVE, Person, digest
from records.people_tables import SessionTable
from records.tables import TokenTable, UserTable

LIFETIME = timedelta(days=7)


def begin_session(session: Session, person_id: int, *, token_id: int | None, at: datetime) -> str:
    """Begin one, and forget those whose time is over; the secret for the cookie, which cannot be read again.

    Args:
        session: a writing transaction.
        person_id: who has logged in.
        token_id: the token with which they did; None for a password.
        at: now.
    """
    session.execute(delete(SessionTable).where(SessionTable.expires_at <= at))
    secret = secrets.token_urlsafe(32)
    session.add(
        SessionTable(
            user_id=person_id, token_id=token_id, sha256=digest(secret), created_at=at, expires_at=at + LIFETIME
        )
    )
    session.flush()
    return secret


def person_of_session(session: Session, secret: str, *, at: datetime) -> Person | None:
    """Whose session this is; None once it has ended."""
    row = session.execute(_OF_SESSION, {"sha256": digest(secret), "at": at}).one_or_none()
    return None if row is None else Person(*row)


def end_session(session: Session, secret: str) -> None:
    """End one."""
    session.execute(delete(SessionTable).where(SessionTable.sha256 == digest(secret)))


def end_sessions(session: Session, person_id: int, *, but: str | None = None) -> None:
    """End all of a person's, but the one with this secret."""
    mine = SessionTable.user_id == person_id
    kept = SessionTable.sha256 != digest(but) if but is not None else mine
    session.execute(delete(SessionTable).where(mine, kept))


_SESSIONS, _USERS, _TOKENS = SessionTable.__table__, UserTable.__table__, TokenTable.__table__
_token_lives, _person_is_active = LIVE
_OF_SESSION = (
    select(
        _USERS.c.id,
        _USERS.c.name,
        _USERS.c.role,
        case((_SESSIONS.c.token_id.is_(None), "full"), else_=_TOKENS.c.scope).label("scope"),
    )
    .select_from(
        _SESSIONS.join(_USERS, _USERS.c.id == _SESSIONS.c.user_id).outerjoin(
            _TOKENS, _TOKENS.c.id == _SESSIONS.c.token_id
        )
    )
    .where(
        _SESSIONS.c.sha256 == bindparam("sha256"),
        _SESSIONS.c.expires_at > bindparam("at", type_=_SESSIONS.c.expires_at.type),
        _person_is_active,
        or_(_SESSIONS.c.token_id.is_(None), _token_lives),
    )
)
