"""The one place that decides what follows when an attempt has ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from records.errors import OutOfMemory, TransientJobError, job_error_class
from records.ladder import Answer
from records.states import AttemptStatus, JobStatus
from records.thrift import Thrift

_BACKOFF_S = (5.0, 30.0, 120.0)
"""Waiting times before the first, second and every later retry, in seconds."""


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended."""

    status: AttemptStatus
    code: str | None = None
    text: str = ""
    advice: str = ""
    """What a person could change; told only when the yard gives up."""

    @classmethod
    def succeeded(cls) -> Outcome:
        """The recipe is through."""
        return cls(AttemptStatus.SUCCEEDED)

    @classmethod
    def failed(cls, code: str, text: str, *, advice: str = "") -> Outcome:
        """It ended with the job error of this code; an unknown one counts as `recipe_failed`."""
        return cls(AttemptStatus.FAILED, job_error_class(code).code, text, advice)

    @classmethod
    def cancelled(cls, text: str = "Cancelled.") -> Outcome:
        """It stopped because somebody cancelled the job."""
        return cls(AttemptStatus.CANCELLED, "cancelled", text)

    @classmethod
    def interrupted(cls, text: str, *, code: str = "worker_stopped") -> Outcome:
        """It stopped because its worker shuts down, or (`preempted`) to make room."""
        return cls(AttemptStatus.INTERRUPTED, code, text)

    @classmethod
    def lost(cls, text: str) -> Outcome:
        """Its worker fell silent."""
        return cls(AttemptStatus.LOST, "lease_expired", text)


@dataclass(frozen=True)
class Verdict:
    """What follows for the job."""

    status: JobStatus
    code: str | None
    text: str
    spends_retry: bool = False
    wait: timedelta = timedelta(0)
    rung: Thrift | None = None
    """How the next attempt saves memory, where that changes."""


def decide(
    outcome: Outcome,
    *,
    started: bool,
    retries_left: int,
    retries_spent: int,
    may_grow: bool = False,
    shortage: Answer | None = None,
) -> Verdict:
    """What follows for a job whose attempt ended so.

    Args:
        outcome: how the attempt ended.
        started: whether its worker ever took it up; an attempt that nobody began costs nothing.
        retries_left: how many more tries the spec allows.
        retries_spent: how many were used, for the waiting time.
        may_grow: whether it ran out of the part of a device that it was lent, and asks for more from now on.
        shortage: where memory did not do and the spec lets the yard adapt: what to change, or that nothing is left.
    """
    text = outcome.text
    if outcome.status == AttemptStatus.SUCCEEDED:
        return Verdict(JobStatus.SUCCEEDED, None, text)
    if outcome.status == AttemptStatus.CANCELLED:
        return Verdict(JobStatus.CANCELLED, "cancelled", text)
    if outcome.status == AttemptStatus.INTERRUPTED or not started:
        return Verdict(JobStatus.QUEUED, outcome.code, text)
    if may_grow and retries_left >= 1:  # not the job was too large, but its estimate too small
        return Verdict(JobStatus.QUEUED, outcome.code, f"{text} The next try is lent more.", spends_retry=True)
    if outcome.code == OutOfMemory.code:
        return _after_shortage(outcome, shortage)
    if not issubclass(job_error_class(outcome.code or ""), TransientJobError):
        return Verdict(JobStatus.FAILED, outcome.code, text)
    if retries_left < 1:
        return Verdict(JobStatus.FAILED, outcome.code, f"{text} No retry is left.")
    wait = timedelta(seconds=_BACKOFF_S[min(retries_spent, len(_BACKOFF_S) - 1)])
    if outcome.status == AttemptStatus.LOST:
        wait = timedelta(0)  # the lease has been a wait already
    return Verdict(JobStatus.QUEUED, outcome.code, text, spends_retry=True, wait=wait)


def _after_shortage(outcome: Outcome, shortage: Answer | None) -> Verdict:
    """The same job with less memory is no retry: it spends none, and need not wait."""
    if shortage is not None and shortage.rung is not None:
        return Verdict(JobStatus.QUEUED, outcome.code, shortage.text, rung=shortage.rung)
    said = (outcome.text, shortage.text if shortage else "", outcome.advice)
    return Verdict(JobStatus.FAILED, outcome.code, " ".join(text for text in said if text))
