"""Which running jobs stop so that a waiting one of higher priority may start. They lose no retry, only time."""

from __future__ import annotations

from collections.abc import Sequence

from records.placing.room import Need, Room
from records.placing.snapshot import Demand, Lease, WaitingJob

STOPS_WITHIN_S = 30.0
"""Time that a job which was asked to stop is expected to need."""


def choose_victims(
    job: WaitingJob, demand: Demand, rooms: Sequence[Room], *, least_run_s: float
) -> tuple[Room, list[Lease]] | None:
    """The device and the leases on it that make room for the job at the smallest loss; None where none do.

    Only leases of lower priority that have been held for `least_run_s` count. What is lost is taken to be what they
    have done so far, although a checkpoint saves most of it. A device on which somebody is stopping already gives
    room soon, so nobody else is stopped while that is enough.
    """
    best: tuple[float, int, Room, list[Lease]] | None = None
    for index, room in enumerate(rooms):
        need = room.need(demand)
        if need is None:
            continue
        soon = [lease for lease in room.device.leases if lease.stopping]
        if _enough(room, need, soon):
            return None
        chosen = _fewest(room, need, soon, _candidates(room, job, least_run_s))
        if chosen is not None:
            loss = sum(lease.memory_bytes * lease.held_s for lease in chosen)
            if best is None or (loss, index) < best[:2]:
                best = loss, index, room, chosen
    return None if best is None else best[2:]


def _candidates(room: Room, job: WaitingJob, least_run_s: float) -> list[Lease]:
    """Those that may be stopped, the lowest priority first, and of one priority the latest."""
    leases = [
        lease
        for lease in room.device.leases
        if lease.priority < job.priority and not lease.stopping and lease.held_s >= least_run_s
    ]
    return sorted(leases, key=lambda lease: (lease.priority, lease.held_s, lease.job_id))


def _fewest(room: Room, need: Need, soon: list[Lease], candidates: list[Lease]) -> list[Lease] | None:
    """As many of the candidates as it takes, and none that turn out not to be needed; None when all are too few."""
    chosen: list[Lease] = []
    for lease in candidates:
        if _enough(room, need, soon + chosen):
            break
        chosen.append(lease)
    if not _enough(room, need, soon + chosen):
        return None
    for lease in list(chosen):
        without = [other for other in chosen if other is not lease]
        if _enough(room, need, soon + without):
            chosen = without
    return chosen


def _enough(room: Room, need: Need, gone: list[Lease]) -> bool:
    """Whether the need is met once these have gone."""
    threads = 0 if room.device.kind == "gpu" else sum(lease.threads for lease in gone)
    return (
        need.memory_bytes <= room.memory[0] + sum(lease.memory_bytes for lease in gone)
        and need.threads <= room.threads[0] + threads
        and need.slots <= room.slots[0] + len(gone)
    )


def make_room(room: Room, victims: Sequence[Lease]) -> None:
    """Plan with the ends that were asked for."""
    for lease in victims:
        until = max(1.0, lease.left.likely)
        if until > STOPS_WITHIN_S:
            threads = 0 if room.device.kind == "gpu" else lease.threads
            room.take(STOPS_WITHIN_S, until, Need(-lease.memory_bytes, -threads, -1))
