"""Who may see what, and who may change it: decided here and nowhere else.

What belongs to somebody is *private* (the default: its owner alone), a *team's* (also the members of that team), or
*public* (everybody with an account here). Administrators see everything. Only its owner and administrators change it,
whoever sees it. Who may not see a thing is told that there is none.

Runs, metrics, events, logs and artifacts go with their job; versions go with their dataset or registered model.
Predictions and uploads are always their sender's alone. The rule stands here twice, for one row and for a query: `sees`
and `seen_by`; a test holds them against each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.orm import Session

from records.errors import Forbidden
from records.tables import JobTable, TeamMemberTable

if TYPE_CHECKING:
    from records.accounts import Person
    from records.model_tables import RegisteredModelTable
    from records.set_tables import ImageSetTable

Visibility = Literal["private", "team", "public"]
PRIVATE, TEAM, PUBLIC = "private", "team", "public"


@dataclass(frozen=True)
class Viewer:
    """Who looks: whose things a bare name means, and whether everybody's can be seen."""

    person_id: int | None = None
    """None where nobody asks, as in a worker."""
    sees_all: bool = False

    def may_change(self, owner_id: int) -> bool:
        """Whether this one may change what belongs to that person."""
        return self.sees_all or self.person_id == owner_id


EVERYTHING = Viewer(sees_all=True)
"""For the yard itself."""


class Thing(Protocol):
    """A row of what belongs to somebody and may be shown to others."""

    @property
    def owner_id(self) -> int:
        """Whose it is."""
        ...

    @property
    def visibility(self) -> str:
        """`private`, `team` or `public`."""
        ...

    @property
    def team_id(self) -> int | None:
        """Which team sees it."""
        ...


def viewer_of(person: Person) -> Viewer:
    """A person as one who looks."""
    return Viewer(person.id, sees_all=person.is_admin)


def seen_by(viewer: Viewer, table: type[JobTable | ImageSetTable | RegisteredModelTable]) -> ColumnElement[bool]:
    """Which rows of a table somebody may see."""
    if viewer.sees_all:
        return true()
    teams = select(TeamMemberTable.team_id).where(TeamMemberTable.user_id == viewer.person_id)
    return or_(
        table.owner_id == viewer.person_id,
        table.visibility == PUBLIC,
        (table.visibility == TEAM) & table.team_id.in_(teams),
    )


def sees(session: Session, viewer: Viewer, thing: Thing) -> bool:
    """Whether somebody may see a thing: the same as `seen_by`, with no question to the database but about teams."""
    if viewer.sees_all or thing.owner_id == viewer.person_id or thing.visibility == PUBLIC:
        return True
    if thing.visibility != TEAM or thing.team_id is None or viewer.person_id is None:
        return False
    return session.get(TeamMemberTable, (thing.team_id, viewer.person_id)) is not None


def seen_jobs(session: Session, viewer: Viewer, job_ids: Iterable[int]) -> set[int]:
    """Those of these jobs that somebody may see."""
    query = select(JobTable.id).where(JobTable.id.in_(list(job_ids)), seen_by(viewer, JobTable))
    return set(session.scalars(query))


def check_change(viewer: Viewer, owner_id: int, what: str) -> None:
    """Let only those change a thing who may. Ask first whether they see it.

    Raises:
        Forbidden: this one may look at it, but not change it.
    """
    if not viewer.may_change(owner_id):
        raise Forbidden(f"You may look at {what}, but only its owner or an administrator may change it.")
