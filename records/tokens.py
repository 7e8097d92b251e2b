"""A person's tokens: showing and revoking. Making one and asking whose it is: `records.accounts`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from records.errors import NotFound
from records.tables import TokenTable


def list_tokens(session: Session, person_id: int) -> Sequence[TokenTable]:
    """A person's tokens, the newest first, also those that stand for nobody any more."""
    return session.scalars(
        select(TokenTable).where(TokenTable.user_id == person_id).order_by(TokenTable.id.desc())
    ).all()


def revoke_token(session: Session, person_id: int, token_id: int, *, at: datetime) -> TokenTable:
    """Take back one of a person's tokens, and with it the sessions that began with it. Once is enough.

    Raises:
        NotFound: this person has no such token.
    """
    row = session.scalar(select(TokenTable).where(TokenTable.id == token_id, TokenTable.user_id == person_id))
    if row is None:
        raise NotFound(f"There is no token {token_id} that you can see.")
    row.revoked_at = row.revoked_at or at
    session.flush()
    return row


def revoke_tokens(session: Session, person_id: int, *, at: datetime) -> None:
    """Take back all of a person's tokens."""
    mine = (TokenTable.user_id == person_id, TokenTable.revoked_at.is_(None))
    session.execute(update(TokenTable).where(*mine).values(revoked_at=at))
