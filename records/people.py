"""The people of a yard: adding, showing, making administrator, deactivating, passwords. No function here commits.

Nobody is ever deleted, as what they did stays on record under their name; who has left is deactivated.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from records.accounts import create_token, create_user
from records.database import lock_pass
from records.errors import Conflict, NotFound, shorten
from records.sessions import end_sessions
from records.tables import TeamMemberTable, TeamTable, UserTable

NAME_FORM = r"[a-z0-9][a-z0-9_.-]{0,62}"
Role = Literal["admin", "member"]
INVITED_FOR = timedelta(days=7)
"""How long the token lasts with which somebody gets in for the first time, or again."""
INVITATION = "invitation"


def add_person(session: Session, name: str, role: Role, *, password_hash: str | None, at: datetime) -> UserTable:
    """Add a person.

    Raises:
        Conflict: somebody is called so already.
    """
    lock_pass(session, "people")
    if session.scalar(select(UserTable.id).where(UserTable.name == name)) is not None:
        raise Conflict(f"Somebody is called {name!r} already. Choose another name.")
    row = create_user(session, name, role, at=at)
    row.password_hash = password_hash
    session.flush()
    return row


def invite(session: Session, person_id: int, *, at: datetime) -> str:
    """A token with which a person gets in and gives themselves a password; it lasts for `INVITED_FOR`."""
    return create_token(session, person_id, INVITATION, expires_at=at + INVITED_FOR, at=at)


def find_person(session: Session, name: str, *, lock: bool = False) -> UserTable:
    """A person by name.

    Args:
        session: for reading, or for writing with `lock`.
        name: exactly.
        lock: hold the row until the transaction ends.

    Raises:
        NotFound: nobody is called so.
    """
    query = select(UserTable).where(UserTable.name == name).execution_options(populate_existing=True)
    row = session.scalar(query.with_for_update() if lock else query) if name.isprintable() else None
    if row is None:
        raise NotFound(f"Nobody here is called {shorten(repr(name))}. `trainyard users list` names all.")
    return row


def list_people(session: Session, *, past: str = "", limit: int = 200) -> Sequence[UserTable]:
    """Everybody by name, those behind `past`."""
    query = select(UserTable).where(UserTable.name > past).order_by(UserTable.name).limit(limit)
    return session.scalars(query).all()


def teams_of(session: Session, person_ids: Sequence[int]) -> dict[int, list[str]]:
    """The names of people's teams, by person."""
    query = (
        select(TeamMemberTable.user_id, TeamTable.name)
        .join(TeamTable, TeamTable.id == TeamMemberTable.team_id)
        .where(TeamMemberTable.user_id.in_(person_ids))
        .order_by(TeamTable.name)
    )
    found: dict[int, list[str]] = {person_id: [] for person_id in person_ids}
    for person_id, team in session.execute(query):
        found[person_id].append(team)
    return found


def change_role(session: Session, row: UserTable, role: Role) -> None:
    """Make somebody an administrator, or a member again.

    Raises:
        Conflict: nobody would be left who is an active administrator.
    """
    if row.role == "admin" and role == "member":
        _check_others(session, row)
    row.role = role
    session.flush()


def deactivate(session: Session, row: UserTable, *, at: datetime) -> None:
    """Let nobody in as this person any more. What is theirs stays, and their jobs run on.

    Raises:
        Conflict: nobody would be left who is an active administrator.
    """
    if row.role == "admin" and row.deactivated_at is None:
        _check_others(session, row)
    row.deactivated_at = row.deactivated_at or at
    session.flush()
    end_sessions(session, row.id)


def activate(session: Session, row: UserTable) -> None:
    """Let a person in again, with the password and the tokens that they had."""
    row.deactivated_at = None
    session.flush()


def set_password(session: Session, row: UserTable, password_hash: str | None, *, but: str | None = None) -> None:
    """Give a person another password, or none. All their sessions end, but the one with the secret `but`."""
    row.password_hash = password_hash
    session.flush()
    end_sessions(session, row.id, but=but)


def _check_others(session: Session, row: UserTable) -> None:
    lock_pass(session, "people")  # of two administrators who go at once, the later finds that they are the last
    others = (UserTable.role == "admin", UserTable.deactivated_at.is_(None), UserTable.id != row.id)
    if not session.scalar(select(func.count()).select_from(UserTable).where(*others)):
        raise Conflict(f"{row.name} is the last active administrator. Make somebody else one first.")
