"""The audit trail: who did what, when, on what and from where.

A line is written in the transaction of the act itself, so that there is neither one without the other. Nothing here
changes or deletes a line, and triggers in the database refuse it too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from records.people_tables import AuditTable

NOBODY = "nobody"


def add_line(
    session: Session, act: str, subject: str, *, actor: str, address: str, at: datetime, text: str = ""
) -> None:
    """Add a line.

    Args:
        session: the writing transaction of the act.
        act: such as `job.cancelled`.
        subject: on what: `job 7`.
        actor: `user:NAME`, or `NOBODY`.
        address: where the request came from.
        at: now.
        text: what else there is to say; never a secret.
    """
    session.add(AuditTable(at=at, actor=actor, act=act, subject=subject, text=text, address=address[:100]))
    session.flush()


def list_lines(
    session: Session,
    *,
    actor: str | None = None,
    act: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> Sequence[AuditTable]:
    """Lines, the newest first.

    Args:
        session: for reading.
        actor: only this person's, by name.
        act: only these: `job.cancelled`, or all that begin with `job`.
        before: only ids below this.
        limit: at most so many.
    """
    query = select(AuditTable).order_by(AuditTable.id.desc()).limit(limit)
    if actor is not None:
        query = query.where(AuditTable.actor.in_([f"user:{actor}", actor]))
    if act is not None:
        query = query.where((AuditTable.act == act) | AuditTable.act.startswith(f"{act}.", autoescape=True))
    if before is not None:
        query = query.where(AuditTable.id < before)
    return session.scalars(query).all()
