"""What a run leaves behind: metrics, log lines, kept files."""

from __future__ import annotations

from datetime import datetime

from api.views.base import View


class MetricPoint(View):
    """One value of one metric."""

    name: str
    step: int
    value: float | None
    """Null where it was not a finite number."""
    at: datetime


class LogLine(View):
    """A line that a job printed or reported."""

    id: int
    attempt: int
    at: datetime
    level: str
    text: str


class Artifact(View):
    """A kept file."""

    name: str
    kind: str
    media_type: str
    size_bytes: int
    sha256: str
    step: int | None
    """For checkpoints: optimizer steps done."""
    created_at: datetime
