"""People and their tokens. A token is 256 random bits; only its SHA-256 is stored."""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from records.database import lock_pass
from records.errors import Unauthorized
from records.scopes import Scope
from records.tables import TokenTable, UserTable

TOKEN_PREFIX = "ty_"


@dataclass(frozen=True)
class Person:
    """Who sent a request."""

    id: int
    name: str
    role: str
    scope: str = "full"
    """How far the request may go, as in `records.scopes`."""

    @property
    def is_admin(self) -> bool:
        """Whether everything in the yard is visible to this person."""
        return self.role == "admin"


def create_user(session: Session, name: str, role: str, *, at: datetime) -> UserTable:
    """Add a person."""
    user = UserTable(name=name, role=role, created_at=at)
    session.add(user)
    session.flush()
    return user


def create_token(
    session: Session,
    user_id: int,
    name: str,
    *,
    at: datetime,
    scope: Scope = "full",
    expires_at: datetime | None = None,
) -> str:
    """Add a token for a person and return it; it cannot be read again."""
    return add_token(session, user_id, name, scope=scope, expires_at=expires_at, at=at)[1]


def add_token(
    session: Session, user_id: int, name: str, *, scope: Scope, expires_at: datetime | None, at: datetime
) -> tuple[TokenTable, str]:
    """Add a token for a person: its row, and the token itself, which cannot be read again."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    row = TokenTable(
        user_id=user_id, name=name, sha256=digest(token), scope=scope, created_at=at, expires_at=expires_at
    )
    session.add(row)
    session.flush()
    return row, token


def authenticate(session: Session, token: str, *, at: datetime) -> Person:
    """The person that a token stands for.

    Raises:
        Unauthorized: the token is unknown, expired or revoked; the text does not say which.
    """
    return identify(session, token, at=at)[1]


def identify(session: Session, token: str, *, at: datetime) -> tuple[int, Person]:
    """The id of a token, and the person that it stands for.

    Raises:
        Unauthorized: the token is unknown, expired or revoked; the text does not say which.
    """
    row = session.execute(_OF_TOKEN, {"sha256": digest(token), "at": at}).one_or_none()
    if row is None:
        raise Unauthorized("This token is not known here. Send `Authorization: Bearer …` with one that is.")
    return row[0], Person(*row[1:])


def ensure_admin(session: Session, token_file: Path, *, at: datetime) -> str | None:
    """At first start, make the administrator and write a token to `token_file` (mode 0600).

    Returns:
        The new token, to be shown once; None when there was an administrator with a token file already.
    """
    lock_pass(session, "admin")  # two processes may start at once
    active = (UserTable.role == "admin", UserTable.deactivated_at.is_(None))
    admin = session.scalar(select(UserTable).where(*active).order_by(UserTable.id).limit(1))
    if admin is not None and token_file.exists():
        return None
    admin = admin or create_user(session, "admin", "admin", at=at)
    token = create_token(session, admin.id, f"file {token_file.name}", at=at)
    _write_private(token_file, token)
    return token


def digest(token: str) -> str:
    """What is kept of a secret that is long and random."""
    return hashlib.sha256(token.encode()).hexdigest()


def _write_private(path: Path, token: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(token + "\n")


_TOKENS, _USERS = TokenTable.__table__, UserTable.__table__
# Over bare tables, as every request asks, and SQLAlchemy takes twice as long for a statement over mapped classes.
_NOW = bindparam("at", type_=_TOKENS.c.expires_at.type)
LIVE = (
    _TOKENS.c.revoked_at.is_(None) & or_(_TOKENS.c.expires_at.is_(None), _TOKENS.c.expires_at > _NOW),
    _USERS.c.deactivated_at.is_(None),
)
"""Of a token and its person: whether it stands for them now (`at`)."""
_OF_TOKEN = (
    select(_TOKENS.c.id, _USERS.c.id.label("user_id"), _USERS.c.name, _USERS.c.role, _TOKENS.c.scope)
    .select_from(_TOKENS.join(_USERS, _USERS.c.id == _TOKENS.c.user_id))
    .where(*LIVE, _TOKENS.c.sha256 == bindparam("sha256"))
)
