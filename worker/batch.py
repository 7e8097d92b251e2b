"""What an attempt has said and not yet written: bounded, so that a database that is away cannot fill the memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from records.blobs import Blob
from records.events import MetricPoint
from records.logs import LogLine

MOST_POINTS = 200_000
MOST_LINES = 20_000


@dataclass(frozen=True)
class Kept:
    """A file whose bytes are stored and whose row is still to be written."""

    blob: Blob
    name: str
    kind: str
    media_type: str
    step: int | None = None


@dataclass
class Batch:
    """Everything for one transaction."""

    points: list[MetricPoint] = field(default_factory=list)
    lines: list[LogLine] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    kept: list[Kept] = field(default_factory=list)
    remarks: list[tuple[str, str]] = field(default_factory=list)
    """For the job's history: kind and text."""
    child: dict[str, Any] = field(default_factory=dict)
    """Columns of the attempt: `pid`, `first_step_at`, `peak_bytes`, `resident_bytes`."""
    live: bool = False
    """Whether what the job shows of itself has changed."""

    def absorb(self, later: Batch) -> bool:
        """Take in what came later, after this could not be written. False when some of it had no room."""
        room = MOST_POINTS - len(self.points), MOST_LINES - len(self.lines)
        fits = len(later.points) <= room[0] and len(later.lines) <= room[1]
        self.points += later.points[: max(0, room[0])]
        self.lines += later.lines[: max(0, room[1])]
        self.facts |= later.facts
        self.summary |= later.summary
        self.kept += later.kept
        self.remarks += later.remarks
        self.child |= later.child
        self.live |= later.live
        return fits
