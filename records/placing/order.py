"""The order of the queue: priority, then who has used least, then who came first.

Like start-time fair queueing (Goyal, Vin and Cheng 1996), with people as flows: a job's mark is what its owner has
used, with the whole of what runs for them now, and what their earlier waiting jobs are expected to use, all divided by
the owner's weight. So somebody's second job stands behind everybody's first, and when the first starts, the mark of
the second stays what it was: the order does not jump about.

Jobs that are due (`records.placing.promising`) go first, by when they became so: a promise binds, and nobody is passed
for ever.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from math import inf

from records.placing.policy import Policy
from records.placing.sizes import charged_bytes, leased_bytes
from records.placing.snapshot import Demand, Device, Snapshot, WaitingJob


def in_order(snapshot: Snapshot, policy: Policy) -> list[WaitingJob]:
    """The waiting jobs, the next first. Does not depend on the order in the snapshot."""
    first_come = sorted(snapshot.waiting, key=lambda job: (-job.priority, job.id))
    if not policy.fair or not snapshot.devices:
        return first_come
    marks = _marks(first_come, snapshot, policy)
    return sorted(first_come, key=lambda job: (-job.priority, _due(job, snapshot.at), marks[job.id], job.id))


def typical_device(devices: list[Device]) -> Device:
    """The device by which sizes are compared: the largest GPU, or the largest CPU where there is no GPU."""
    return max(devices, key=lambda device: (device.kind == "gpu", device.memory_bytes, -device.id))


def _marks(first_come: list[WaitingJob], snapshot: Snapshot, policy: Policy) -> dict[int, float]:
    at_stake = defaultdict(float, snapshot.used)
    for device in snapshot.devices:
        for lease in device.leases:
            at_stake[lease.owner_id] += leased_bytes(lease, device) * (lease.held_s + lease.left.likely)
    device = typical_device(list(snapshot.devices))
    sizes: dict[Demand, float] = {}
    marks = {}
    for job in first_come:
        if job.demand not in sizes:
            sizes[job.demand] = charged_bytes(job.demand, device)
        marks[job.id] = at_stake[job.owner_id] / policy.weight(job.owner_id)
        at_stake[job.owner_id] += sizes[job.demand] * job.lasts.likely
    return marks


def _due(job: WaitingJob, at: datetime) -> float:
    return job.due_at.timestamp() if job.due_at is not None and job.due_at <= at else inf
