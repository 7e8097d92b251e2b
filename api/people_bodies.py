"""Bodies and queries about people: passwords, tokens, accounts, teams, the audit trail."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.asking import Cursor, PlainText, Query
from records import people, teams
from records.passwords import LONGEST, SHORTEST
from records.people import Role
from records.scopes import Scope
from records.specs.base import Strict

Password = Annotated[str, Field(max_length=LONGEST)]
Name = Annotated[str, Field(pattern=f"^{people.NAME_FORM}$", max_length=63)]


class NewPassword(Strict):
    """A password in the place of another."""

    current: Password | None = None
    """The one that one has; left out where there is none yet."""
    new: Annotated[str, Field(min_length=SHORTEST, max_length=LONGEST)]


class NewToken(Strict):
    """A token to be made for oneself."""

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
    """What it is for."""
    scope: Scope = "write"
    """`read` looks, `write` also changes jobs, datasets and models, `full` also passwords, tokens, teams and people."""
    expires_in_days: Annotated[int, Field(ge=1, le=3_650)] | None = 90
    """After so many days it stands for nobody any more; null for never."""


class NewPerson(Strict):
    """A person to be added."""

    name: Name
    """Small letters, digits and `_ . -`; it cannot be changed later, as it stands in references."""
    role: Role = "member"
    password: Annotated[str, Field(min_length=SHORTEST, max_length=LONGEST)] | None = None
    """To begin with; left out, they come in with the `invitation` of the reply, and choose one."""


class PersonChange(Strict):
    """A change to an account, as a merge patch: what is left out stays."""

    role: Role | None = None
    active: bool | None = None
    """False lets nobody in as this person: sessions and tokens end at once. What is theirs stays."""


class NewTeam(Strict):
    """A team to be made."""

    name: Annotated[str, Field(pattern=f"^{teams.NAME_FORM}$", max_length=63)]
    """Small letters, digits, `_` and `-`."""


class PeopleQuery(Query):
    """Which people to list."""

    limit: Annotated[int, Field(ge=1, le=200)] = 200
    """At most so many."""
    cursor: Cursor | None = None
    """`next` of the page before."""


class TokensQuery(Query):
    """Whose tokens are meant."""

    owner: PlainText | None = None
    """A person's name, for administrators; one's own without it."""


class AuditQuery(Query):
    """Which lines of the audit trail to list."""

    actor: PlainText | None = None
    """Only what this person did; `nobody` for those who did not get in."""
    act: PlainText | None = None
    """Only this act, such as `job.cancelled`, or all that begin so: `job`."""
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100
    """At most so many, the newest first."""
    cursor: Cursor | None = None
    """`next` of the page before."""
