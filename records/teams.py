"""Teams: groups of people who share things. Administrators make them; each member sees who else is in. No commits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import Session

from records.access import PRIVATE, Viewer
from records.database import lock_pass
from records.errors import Conflict, NotFound, shorten
from records.model_tables import RegisteredModelTable
from records.set_tables import ImageSetTable
from records.tables import JobTable, TeamMemberTable, TeamTable, UserTable

NAME_FORM = r"[a-z0-9][a-z0-9_-]{0,62}"


def make_team(session: Session, name: str, *, at: datetime) -> TeamTable:
    """Make a team without members.

    Raises:
        Conflict: there is one of that name.
    """
    lock_pass(session, "teams")
    if session.scalar(select(TeamTable.id).where(TeamTable.name == name)) is not None:
        raise Conflict(f"There is a team {name!r} already. Choose another name.")
    row = TeamTable(name=name, created_at=at)
    session.add(row)
    session.flush()
    return row


def find_team(session: Session, viewer: Viewer, name: str) -> TeamTable:
    """A team that somebody may see: their own, or any for administrators.

    Raises:
        NotFound: there is none.
    """
    query = _seen(viewer).where(TeamTable.name == name)
    row = session.scalar(query) if name.isprintable() else None
    if row is None:
        raise NotFound(f"There is no team {shorten(repr(name))} that you are in. `trainyard teams list` names yours.")
    return row


def list_teams(session: Session, viewer: Viewer) -> Sequence[TeamTable]:
    """The teams that somebody may see, by name."""
    return session.scalars(_seen(viewer).order_by(TeamTable.name)).all()


def name_of_team(session: Session, team_id: int | None) -> str | None:
    """What a team is called, for whoever may see what it is shown; None for none."""
    return None if team_id is None else session.get_one(TeamTable, team_id).name


def list_members(session: Session, team_ids: Sequence[int]) -> dict[int, list[str]]:
    """The names of the members of teams, by team."""
    query = (
        select(TeamMemberTable.team_id, UserTable.name)
        .join(UserTable, UserTable.id == TeamMemberTable.user_id)
        .where(TeamMemberTable.team_id.in_(team_ids))
        .order_by(UserTable.name)
    )
    found: dict[int, list[str]] = {team_id: [] for team_id in team_ids}
    for team_id, name in session.execute(query):
        found[team_id].append(name)
    return found


def add_member(session: Session, team: TeamTable, person_id: int, *, at: datetime) -> None:
    """Let somebody into a team. Once is enough."""
    lock_pass(session, "teams")
    if session.get(TeamMemberTable, (team.id, person_id)) is None:
        session.add(TeamMemberTable(team_id=team.id, user_id=person_id, added_at=at))
        session.flush()


def remove_member(session: Session, team: TeamTable, person_id: int) -> None:
    """Let somebody out of a team. What they have shown it, it still sees: that is theirs to change.

    Raises:
        NotFound: they are not in it.
    """
    row = session.get(TeamMemberTable, (team.id, person_id))
    if row is None:
        raise NotFound(f"This person is not in the team {team.name}.")
    session.delete(row)
    session.flush()


def delete_team(session: Session, team: TeamTable) -> None:
    """Delete a team. What it was shown becomes private again, to its owners."""
    lock_pass(session, "teams")
    lock_pass(session, "schedule")  # as it locks several jobs
    hidden = {"visibility": PRIVATE, "team_id": None}
    session.execute(update(JobTable).where(JobTable.team_id == team.id).values(**hidden, version=JobTable.version + 1))
    for table in (ImageSetTable, RegisteredModelTable):
        session.execute(update(table).where(table.team_id == team.id).values(**hidden))
    session.execute(delete(TeamMemberTable).where(TeamMemberTable.team_id == team.id))
    session.execute(delete(TeamTable).where(TeamTable.id == team.id))


def _seen(viewer: Viewer) -> Select[TeamTable]:
    query = select(TeamTable)
    if viewer.sees_all:
        return query
    mine = select(TeamMemberTable.team_id).where(TeamMemberTable.user_id == viewer.person_id)
    return query.where(TeamTable.id.in_(mine))
