"""The one table of statuses and of the moves between them.

Who moves a job: `records.jobs.move`, nobody else. Who moves a version of a dataset: `records.versions`.
"""

from __future__ import annotations

from enum import StrEnum


class JobStatus(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class AttemptStatus(StrEnum):
    """Where one worker's try at a job stands."""

    PLACED = "placed"
    """A device is leased to it; its worker has not taken it up yet."""
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    """Stopped after a checkpoint, by its worker's shutdown or to make room; costs no retry."""
    LOST = "lost"
    """Its worker was not heard from until the lease ran out."""


class VersionStatus(StrEnum):
    """Where a version of a person's own dataset stands."""

    CHECKING = "checking"
    """Its images are taken in, or wait for that."""
    READY = "ready"
    """Jobs can use it; it never changes."""
    REFUSED = "refused"
    """It cannot be taken in; its report says why."""


MOVES: dict[JobStatus, frozenset[JobStatus]] = {
    JobStatus.QUEUED: frozenset({JobStatus.RUNNING, JobStatus.CANCELLED}),
    JobStatus.RUNNING: frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.QUEUED}),
    JobStatus.FAILED: frozenset({JobStatus.QUEUED}),
    JobStatus.CANCELLED: frozenset({JobStatus.QUEUED}),
    JobStatus.SUCCEEDED: frozenset(),
}
"""From each status, those that may follow. FAILED and CANCELLED go back to QUEUED only by a person's retry."""

FINISHED = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED})
"""Statuses in which nothing more happens by itself."""

OPEN_ATTEMPTS = frozenset({AttemptStatus.PLACED, AttemptStatus.RUNNING})
"""Statuses in which an attempt holds a lease. A job has at most one such attempt: a unique index says so."""

VERSION_MOVES: dict[VersionStatus, frozenset[VersionStatus]] = {
    VersionStatus.CHECKING: frozenset({VersionStatus.READY, VersionStatus.REFUSED}),
    VersionStatus.READY: frozenset(),
    VersionStatus.REFUSED: frozenset(),
}
"""From each status of a version, those that may follow. What was refused is sent again as the next version."""
