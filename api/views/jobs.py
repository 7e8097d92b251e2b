"""Jobs, their attempts, and what happened to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from api.views.base import Reason, View, Visibility
from api.views.estimates import Estimate
from api.views.sharing import ExpectedStart, Needs, Promise
from records.states import AttemptStatus, JobStatus


class Thrift(View):
    """How an attempt saves memory, where the yard found out that it must. The batch and the steps stay the same."""

    micro_batch: int | None
    """Images that go through the network at a time; null for the whole batch."""
    precision: Literal["float32", "mixed"]
    recompute: bool
    """Whether activations are computed again in the backward pass."""
    text: str
    """In words."""


class Attempt(View):
    """One worker's try at a job."""

    number: int
    """1 for the first."""
    status: AttemptStatus
    worker: str
    device: str
    """`cpu:0`, `gpu:0` …"""
    pid: int | None
    """Process id on the worker's machine."""
    placed_at: datetime
    started_at: datetime | None
    first_step_at: datetime | None
    finished_at: datetime | None
    memory_bytes: int
    """Lent to it of the device; its process may take no more."""
    threads: int
    """Processor threads that it may use."""
    peak_bytes: int | None
    """The most that the framework had in use on the device; null until it is measured."""
    resident_bytes: int | None
    """The most main memory that its process held above what it began with."""
    thrift: Thrift | None
    """Null where it follows the spec."""
    reason: Reason | None


class Live(View):
    """What a running job last said of itself. What it has not said yet is null."""

    stage: str | None
    epoch: int | None
    """The epoch under way, from 1."""
    epochs: int | None
    step: int | None
    """Optimizer steps done, over all epochs."""
    steps: int | None
    images_per_s: float | None
    values: dict[str, float | None]
    """Latest values, such as loss and accuracy."""


class Job(View):
    """One order: what was asked, where it stands, and what became of it."""

    id: int
    kind: str
    name: str
    status: JobStatus
    reason: Reason | None
    """Why it waits, failed or was cancelled."""
    progress: float = Field(ge=0, le=1)
    live: Live
    time_left_s: float | None
    attempts: list[Attempt]
    place_in_queue: int | None
    """1 goes next; null when it does not wait."""
    expected_start: ExpectedStart | None
    """Null where nobody can tell, and when it does not wait."""
    promise: Promise | None
    """Null for a job that never had to wait."""
    needs: Needs
    spec: dict[str, Any]
    parameters: int
    """Parameters of the network; 0 where there is none."""
    estimate: Estimate | None
    """What it was thought to cost when it was submitted; null where nobody can tell."""
    summary: dict[str, Any]
    """The few numbers that sum the run up, such as `test/accuracy`."""
    owner: str
    visibility: Visibility
    """Who sees it: its owner, a team, or everybody here."""
    team: str | None
    """Which team."""
    note: str | None
    """What people wrote on it: plain text."""
    tags: list[str]
    cloned_from: int | None
    """The job whose spec it began with."""
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested: bool


class JobEvent(View):
    """What happened to a job: who, when, from, to, why."""

    id: int
    kind: str
    """`submitted`, `moved`, `placed`, `cancel_requested`, `checkpoint`, `attempt_ended`, `edited` …"""
    at: datetime
    actor: str
    """`user:NAME`, `worker:NAME` or `yard`."""
    from_status: JobStatus | None
    to_status: JobStatus | None
    code: str | None
    text: str
