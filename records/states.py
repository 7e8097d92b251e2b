"""The one table of statuses and of the moves between them. Who moves a job: `records.jobs.move`, nobody else."""

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
