"""Logging in with a name and a password, as often as somebody may try. No function here commits.

A try is counted before the password is looked at, so that many at once are counted too. Three limits hold in any
`SPAN`: tries at one account from one address, so that a person is not locked out by a stranger; tries at one account
from everywhere; tries from one address at any account. A try that succeeds takes those of its account and address away.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from records.accounts import Person
from records.database import lock_pass
from records.errors import TooManyLogins
from records.people_tables import LoginTryTable
from records.tables import UserTable

SPAN = timedelta(minutes=15)
MOST_HERE = 5
"""At one account from one address."""
MOST_AT_ACCOUNT = 50
MOST_FROM_ADDRESS = 30


def count_try(session: Session, account: str, address: str, *, at: datetime) -> None:
    """Count a try to log in.

    Args:
        session: a writing transaction, to be committed before the password is looked at.
        account: the name that was given; empty for a token, where only the address counts.
        address: where it comes from.
        at: now.

    Raises:
        TooManyLogins: there have been too many lately.
    """
    account, address = _plain(account), address[:100]
    lock_pass(session, "logins")
    session.execute(delete(LoginTryTable).where(LoginTryTable.at <= at - SPAN))
    at_account, from_address = LoginTryTable.account == account, LoginTryTable.address == address
    limits: list[tuple[int, ColumnElement[bool]]] = [(MOST_FROM_ADDRESS, from_address)]
    if account:
        limits += [(MOST_HERE, at_account & from_address), (MOST_AT_ACCOUNT, at_account)]
    for most, counted in limits:
        _check(session, most, counted, at)
    session.add(LoginTryTable(account=account, address=address, at=at))
    session.flush()


def find_login(session: Session, account: str) -> tuple[Person | None, str | None]:
    """The person of that name, and what is kept of their password; None for what there is not.

    Nobody is found who has been deactivated. Whether a password is right is asked after the transaction: it takes long.
    """
    row = session.scalar(select(UserTable).where(UserTable.name == _plain(account), UserTable.deactivated_at.is_(None)))
    return (None, None) if row is None else (Person(row.id, row.name, row.role), row.password_hash)


def forget_tries(session: Session, account: str, address: str) -> None:
    """Somebody has got in: their tries count no more."""
    session.execute(
        delete(LoginTryTable).where(LoginTryTable.account == _plain(account), LoginTryTable.address == address[:100])
    )


def _plain(account: str) -> str:
    """A name as it may stand in a row: whatever else came was nobody's."""
    return account[:100] if account.isprintable() else "\ufffd"


def _check(session: Session, most: int, counted: ColumnElement[bool], at: datetime) -> None:
    tries = session.execute(select(func.count(), func.min(LoginTryTable.at)).where(counted)).one()
    if tries[0] >= most:
        wait_s = max(1, math.ceil((tries[1] + SPAN - at).total_seconds()))
        raise TooManyLogins(
            f"Too many tries to log in lately. Wait {math.ceil(wait_s / 60)} minutes, then try again.", wait_s
        )
