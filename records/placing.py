"""`place`: which waiting job gets which device. A pure function of a snapshot; no SQL, no clock, no chance.

The same function runs the yard, tells a job why it waits, and can replay past queues under another policy.
Today's policy: priority, then first come; one job a device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class WaitingJob:
    """A queued job without an open attempt."""

    id: int
    priority: int
    not_before: datetime | None = None


@dataclass(frozen=True)
class FreeDevice:
    """A device of an online worker, and how many attempts hold it."""

    id: int
    kind: str
    memory_bytes: int
    leases: int = 0


@dataclass(frozen=True)
class Snapshot:
    """All that a placement depends on."""

    at: datetime
    waiting: Sequence[WaitingJob]
    devices: Sequence[FreeDevice]


@dataclass(frozen=True)
class Placement:
    """A job and the device that it gets, with the memory lent to it, in bytes."""

    job_id: int
    device_id: int
    memory_bytes: int


@dataclass(frozen=True)
class Reason:
    """The one reason why a job waits: a stable code and a sentence."""

    code: str
    text: str


@dataclass(frozen=True)
class Plan:
    """What `place` decided: placements, and for every other waiting job its reason."""

    placements: tuple[Placement, ...]
    reasons: dict[int, Reason]


def place(snapshot: Snapshot) -> Plan:
    """Give free devices to waiting jobs: highest priority first, then the lowest id; GPUs before the CPU."""
    order = sorted(snapshot.waiting, key=lambda job: (-job.priority, job.id))
    ready = [job for job in order if not _backs_off(job, snapshot.at)]
    free = sorted(
        (device for device in snapshot.devices if device.leases == 0),
        key=lambda device: (device.kind != "gpu", -device.memory_bytes, device.id),
    )
    placements = tuple(
        Placement(job.id, device.id, device.memory_bytes) for job, device in zip(ready, free, strict=False)
    )
    reasons = {job.id: _backing_off(job) for job in order if _backs_off(job, snapshot.at)}
    reasons |= {job.id: _queued(snapshot, rank) for rank, job in enumerate(ready[len(placements) :])}
    return Plan(placements, reasons)


def _backs_off(job: WaitingJob, at: datetime) -> bool:
    return job.not_before is not None and job.not_before > at


def _backing_off(job: WaitingJob) -> Reason:
    return Reason("retry_later", f"Tried again at {job.not_before:%H:%M:%S} UTC.")


def _queued(snapshot: Snapshot, rank: int) -> Reason:
    if not snapshot.devices:
        return Reason("no_worker", "No worker is online. The job starts when one is.")
    if rank == 0:
        return Reason("waiting_for_device", "Next: waits for a device to be free.")
    return Reason("waiting_for_device", "Waits for a device; other jobs go first.")
