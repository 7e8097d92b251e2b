"""How devices are shared: who holds what of them, who waits, and what was promised."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from api.views.base import Reason, View


class ExpectedStart(View):
    """When a waiting job is expected to start."""

    from_: datetime = Field(alias="from")
    """At the earliest."""
    likely: datetime
    until: datetime
    """At the latest."""


class Promise(ExpectedStart):
    """The first expected start that a job was told of, kept on record."""

    made_at: datetime
    kept: bool | None
    """Whether it started in the range; null until it has started."""


class Needs(View):
    """What a job asks of a device, as it is thought of now."""

    cpu_bytes: int | None
    """Memory of a CPU device; null for a whole one."""
    gpu_bytes: int | None
    """Memory of a GPU; null for a whole one."""
    threads: int | None
    """Processor threads of a CPU device; null for all of them."""


class Lease(View):
    """What one job holds of a device."""

    job_id: int | None
    """Null where one may not see the job."""
    memory_bytes: int
    """Lent to it."""
    threads: int
    since: datetime
    peak_bytes: int | None
    """The most that its framework has had in use; null until it is measured."""


class Taker(View):
    """A program outside the yard that holds memory of a GPU."""

    pid: int
    name: str
    memory_bytes: int | None


class Device(View):
    """A GPU or the CPU of a worker's machine."""

    name: str
    kind: Literal["cpu", "gpu"]
    model: str
    memory_bytes: int
    threads: int
    worker: str
    worker_status: Literal["online", "draining"]
    seen_at: datetime
    slots: int
    """Jobs that may share it."""
    taken_bytes: int
    """Memory that programs outside the yard hold."""
    takers: list[Taker]
    """Those programs, as far as they could be told."""
    lent_bytes: int
    """Memory that jobs hold."""
    leases: list[Lease]


class Waiting(View):
    """A job in the queue."""

    place: int
    """Counted over everybody's jobs."""
    job_id: int
    name: str
    kind: str
    owner: str
    priority: int
    reason: Reason | None
    expected_start: ExpectedStart | None
    promise: Promise | None
    needs: Needs
    created_at: datetime


class Sooner(View):
    """A change of a waiting job's spec that would let it start sooner."""

    change: dict[str, Any]
    """Fields of the spec, by dotted path."""
    starts_at: datetime
    now: bool
    """Whether it would start at once."""
    text: str


class PastJob(View):
    """A job that has run to its end, as the scheduler saw it."""

    job_id: int
    owner: str
    submitted_at: datetime
    memory_bytes: int | None
    """Lent to its last attempt; null for a whole device."""
    seconds: float
    """For which it held a device, over all attempts."""
    wait_s: float
    """From its submission to its first start."""


class PromisesKept(View):
    """How the newest promised starts came out."""

    count: int
    kept: int
    """Of them, those that came true within their range."""
