"""All that a placement depends on, as plain values. Tuples, because a long queue has ten thousand of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from records.placing.plan import Reason


class Span(NamedTuple):
    """How long something lasts, in seconds: at least, probably, at most."""

    low: float
    likely: float
    high: float


class Demand(NamedTuple):
    """What a job asks of the device that it gets."""

    cpu_bytes: int | None = None
    """Memory of a CPU device; None asks for the whole device."""
    gpu_bytes: int | None = None
    """Memory of a GPU; None asks for the whole device."""
    threads: int | None = None
    """Processor threads of a CPU device; None asks for all of them. On a GPU they are not counted."""


WHOLE = Demand()
"""A whole device, of whichever kind: what a job gets whose needs nobody knows, or that wants to be alone."""


class WaitingJob(NamedTuple):
    """A queued job without an open attempt. Who came first has the lower id."""

    id: int
    owner_id: int
    priority: int
    demand: Demand
    lasts: Span
    """How long an attempt is expected to hold its device."""
    not_before: datetime | None = None
    due_at: datetime | None = None
    """From then on it goes before others of its priority, so that its promise may be kept."""


class Lease(NamedTuple):
    """What an open attempt holds of a device."""

    job_id: int
    owner_id: int
    priority: int
    memory_bytes: int
    threads: int
    held_s: float
    """For how long it has been held."""
    left: Span
    """For how long it is expected to be held yet."""
    stopping: bool = False
    """Whether it was asked to make room."""


class Device(NamedTuple):
    """A device of an online worker, and what is lent of it."""

    id: int
    name: str
    """As people are told of it: `gpu:0`, or `gpu:0 of anna` where there are several workers."""
    kind: str
    memory_bytes: int
    threads: int = 1
    slots: int = 1
    """Attempts that may hold a part of it at a time."""
    taken_bytes: int = 0
    """Memory that programs outside the yard hold."""
    leases: Sequence[Lease] = ()


@dataclass(frozen=True)
class Snapshot:
    """The queue and the devices at one moment."""

    at: datetime
    waiting: Sequence[WaitingJob]
    devices: Sequence[Device]
    used: Mapping[int, float] = field(default_factory=dict)
    """By person: what their finished attempts used, in byte-seconds, decayed until now."""
    barred: Mapping[int, Reason] = field(default_factory=dict)
    """By person: why none of their jobs may start now."""
