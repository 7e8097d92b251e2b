"""Time, asked for at the doors and passed in everywhere else."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The present time, with its zone."""
    return datetime.now(UTC)
