"""People: accounts, tokens, teams, who sees what, and the audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from api.views.base import View, Visibility

Role = Literal["admin", "member"]
Scope = Literal["read", "write", "full"]


class Me(View):
    """Who a token stands for."""

    id: int
    name: str
    role: Role
    scope: Scope
    """How far the token goes; `full` for who has logged in with a password."""
    has_password: bool
    teams: list[str]


class User(View):
    """An account."""

    name: str
    role: Role
    active: bool
    has_password: bool
    teams: list[str]
    created_at: datetime
    deactivated_at: datetime | None


class InvitedUser(User):
    """An account that was just made, or whose password was taken away."""

    invitation: str | None
    """A token to get in with for a week; shown this once. Null where a password was given."""


class Token(View):
    """A token, without its secret."""

    id: int
    name: str
    scope: Scope
    live: bool
    """Whether it stands for its person now."""
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class MadeToken(Token):
    """A token that was just made."""

    token: str
    """The secret; shown this once."""


class Team(View):
    """People who share things."""

    name: str
    members: list[str]
    created_at: datetime


class Shown(View):
    """Who sees a thing."""

    visibility: Visibility
    team: str | None


class AuditLine(View):
    """Who did what, when, on what and from where."""

    id: int
    at: datetime
    actor: str
    """`user:NAME`, or `nobody`."""
    act: str
    """`job.cancelled`, `token.made` …"""
    subject: str
    """`job 7`, `user ada` …"""
    text: str
    address: str
