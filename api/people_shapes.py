"""Rows about people into the shapes of `api.views`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from api.shapes import time_shape
from records.people_tables import AuditTable
from records.tables import TeamTable, TokenTable, UserTable


def user_shape(row: UserTable, teams: Sequence[str]) -> dict[str, Any]:
    """A `views.User`."""
    return {
        "name": row.name,
        "role": row.role,
        "active": row.deactivated_at is None,
        "has_password": row.password_hash is not None,
        "teams": list(teams),
        "created_at": time_shape(row.created_at),
        "deactivated_at": time_shape(row.deactivated_at),
    }


def token_shape(row: TokenTable, *, at: datetime) -> dict[str, Any]:
    """A `views.Token`."""
    return {
        "id": row.id,
        "name": row.name,
        "scope": row.scope,
        "live": row.revoked_at is None and (row.expires_at is None or row.expires_at > at),
        "created_at": time_shape(row.created_at),
        "expires_at": time_shape(row.expires_at),
        "revoked_at": time_shape(row.revoked_at),
    }


def team_shape(row: TeamTable, members: Sequence[str]) -> dict[str, Any]:
    """A `views.Team`."""
    return {"name": row.name, "members": list(members), "created_at": time_shape(row.created_at)}


def line_of_audit_shape(row: AuditTable) -> dict[str, Any]:
    """A `views.AuditLine`."""
    return {
        "id": row.id,
        "at": time_shape(row.at),
        "actor": row.actor,
        "act": row.act,
        "subject": row.subject,
        "text": row.text,
        "address": row.address,
    }
