"""What the yard answers about people: accounts, tokens, teams, the audit trail."""

from __future__ import annotations

from datetime import datetime

from trainyard.results import Result


class Me(Result):
    """Who a token stands for."""

    id: int
    name: str
    role: str
    scope: str = "full"
    has_password: bool = False
    teams: tuple[str, ...] = ()


class User(Result):
    """An account."""

    name: str
    role: str
    active: bool
    has_password: bool
    teams: tuple[str, ...] = ()
    created_at: datetime
    deactivated_at: datetime | None = None
    invitation: str | None = None
    """A token to get in with, where the account was just made without a password; shown once."""


class Token(Result):
    """A token."""

    id: int
    name: str
    scope: str
    live: bool
    """Whether it stands for its person now."""
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    token: str | None = None
    """The secret, where it was just made; shown once."""


class Team(Result):
    """People who share things."""

    name: str
    members: tuple[str, ...] = ()
    created_at: datetime


class Shown(Result):
    """Who sees a thing."""

    visibility: str
    team: str | None = None


class AuditLine(Result):
    """Who did what, when, on what and from where."""

    id: int
    at: datetime
    actor: str
    act: str
    subject: str
    text: str = ""
    address: str = ""
