"""Noting in the audit trail what the present request does, in the transaction in which it does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.auth import actor, sender_address
from api.yard import the_yard
from records.audit import add_line

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def note(session: Session, act: str, subject: str, text: str = "") -> None:
    """Note an act of the present person's.

    Args:
        session: the writing transaction of the act.
        act: such as `job.cancelled`.
        subject: on what: `job 7`.
        text: what else there is to say; never a secret.
    """
    at = the_yard().clock()
    add_line(session, act, subject, actor=actor(), address=sender_address(), text=text, at=at)
