"""What `place` decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Reason(NamedTuple):
    """The one reason why a job waits: a stable code and a sentence."""

    code: str
    text: str


class Placement(NamedTuple):
    """A job and what it gets of which device."""

    job_id: int
    device_id: int
    memory_bytes: int
    threads: int


class Forecast(NamedTuple):
    """When a waiting job is expected to start, in seconds from the snapshot."""

    start_s: float
    device_id: int | None = None
    """Where; None beyond the part of the queue that is planned one by one."""


class Preemption(NamedTuple):
    """A running job that is to stop and go back to the queue, and the waiting one that it makes room for."""

    job_id: int
    for_job_id: int


@dataclass(frozen=True)
class Plan:
    """What is to happen now; and for every job that goes on waiting its reason and, where one can tell, its start."""

    placements: Sequence[Placement] = ()
    reasons: Mapping[int, Reason] = field(default_factory=dict)
    forecasts: Mapping[int, Forecast] = field(default_factory=dict)
    preemptions: Sequence[Preemption] = ()
    order: Sequence[int] = ()
    """Every waiting job by id, in the order in which they go."""
