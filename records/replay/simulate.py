"""A queue played through `place`: jobs come and end by the trace, everything between is decided as in a yard."""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from records.placing import Demand, Device, Lease, Placement, Policy, Snapshot, Span, WaitingJob, place
from records.placing.lasting import left_after
from records.placing.promising import LOOKED_AT, due_after, promised, ratio
from records.placing.sizes import leased_bytes
from records.replay.knowledge import Knowledge
from records.replay.trace import Entry

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class Played(NamedTuple):
    """What became of one job of a trace. Times in seconds from the first job's."""

    entry: Entry
    start_s: float
    device_id: int
    memory_bytes: int
    """Lent to it."""
    promise: Span | None
    """When it was promised to start, on the clock of the trace; None for one that never waited."""

    @property
    def wait_s(self) -> float:
        """From coming to starting."""
        return self.start_s - self.entry.submit_s

    @property
    def end_s(self) -> float:
        """When it ended."""
        return self.start_s + self.entry.seconds


def play(
    entries: Sequence[Entry], devices: Sequence[Device], policy: Policy, *, exact: bool = False
) -> tuple[list[Played], list[Entry]]:
    """Play a trace to its end.

    Args:
        entries: the jobs, in the order in which they came.
        devices: what there is, nothing of it lent.
        policy: how it is shared; its weights are by a person's position among the sorted names.
        exact: whether the yard knows durations beforehand; else it learns as jobs end.

    Returns:
        What became of each job, in the order in which they started; and the jobs that fit no device, which are left
        out.
    """
    simulation = _Simulation(entries, devices, policy, Knowledge(exact=exact))
    simulation.run()
    return simulation.played, simulation.never


class _Running(NamedTuple):
    job_id: int
    owner_id: int
    placement: Placement
    start_s: float
    lasts: Span


class _Simulation:
    def __init__(
        self, entries: Sequence[Entry], devices: Sequence[Device], policy: Policy, knowledge: Knowledge
    ) -> None:
        self.played: list[Played] = []
        self.never: list[Entry] = []
        self._entries = entries
        self._devices = {device.id: device for device in devices}
        self._policy = policy
        self._knowledge = knowledge
        names = sorted({entry.user for entry in entries})
        self._owners = {name: number for number, name in enumerate(names)}
        self._waiting: dict[int, WaitingJob] = {}
        self._running: dict[int, _Running] = {}
        self._used: dict[int, float] = defaultdict(float)
        self._used_at = 0.0
        self._promises: dict[int, Span] = {}
        self._ratios: deque[float] = deque(maxlen=LOOKED_AT)

    def run(self) -> None:
        """Play all events in their order; those of one moment share a pass."""
        events: list[tuple[float, int, int]] = [(entry.submit_s, 1, id) for id, entry in enumerate(self._entries)]
        heapq.heapify(events)
        while events:
            now = events[0][0]
            while events and events[0][0] == now:
                _, comes, job_id = heapq.heappop(events)
                self._come(job_id) if comes else self._end(job_id, now)
            for placement in self._pass(now):
                heapq.heappush(events, (now + self._entries[placement.job_id].seconds, 0, placement.job_id))
        self.never += [self._entries[job_id] for job_id in self._waiting]

    def _come(self, job_id: int) -> None:
        entry = self._entries[job_id]
        demand = Demand(entry.memory_bytes, entry.memory_bytes, 1)
        owner_id = self._owners[entry.user]
        self._waiting[job_id] = WaitingJob(job_id, owner_id, 0, demand, self._knowledge.expect(entry))

    def _end(self, job_id: int, now: float) -> None:
        running = self._running.pop(job_id)
        self._decay(now)
        device = self._devices[running.placement.device_id]
        used = leased_bytes(self._lease(running, now), device) * (now - running.start_s)
        self._used[running.owner_id] += used
        self._knowledge.note(self._entries[job_id])

    def _decay(self, now: float) -> None:
        factor = 0.5 ** ((now - self._used_at) / self._policy.half_life_s)
        for owner_id in self._used:
            self._used[owner_id] *= factor
        self._used_at = now

    def _pass(self, now: float) -> Sequence[Placement]:
        if not self._waiting:
            return ()
        self._decay(now)
        at = _EPOCH + timedelta(seconds=now)
        waiting = [
            job._replace(lasts=self._knowledge.expect(self._entries[job.id]), due_at=self._due_at(job.id))
            for job in self._waiting.values()
        ]
        plan = place(Snapshot(at, waiting, self._devices_at(now), self._used), self._policy)
        for placement in plan.placements:
            self._start(placement, now)
        ratios = [*self._ratios, *self._late(now)]
        for job_id in self._waiting:
            if job_id not in self._promises and job_id in plan.forecasts:
                wait = promised(plan.forecasts[job_id].start_s, ratios)
                self._promises[job_id] = Span(now + wait.low, now + wait.likely, now + wait.high)
        return plan.placements

    def _due_at(self, job_id: int) -> datetime | None:
        promise = self._promises.get(job_id)
        return None if promise is None else _EPOCH + timedelta(seconds=due_after(promise))

    def _late(self, now: float) -> Iterator[float]:
        """How the promises come out that are late by now."""
        for job_id in self._waiting:
            promise = self._promises.get(job_id)
            if promise is not None and promise.likely < now:
                submit_s = self._entries[job_id].submit_s
                yield ratio(promise.likely - submit_s, now - submit_s)

    def _start(self, placement: Placement, now: float) -> None:
        job = self._waiting.pop(placement.job_id)
        entry = self._entries[job.id]
        self._running[job.id] = _Running(job.id, job.owner_id, placement, now, job.lasts)
        promise = self._promises.get(job.id)
        self.played.append(Played(entry, now, placement.device_id, placement.memory_bytes, promise))
        if promise is not None:
            self._ratios.append(ratio(promise.likely - entry.submit_s, now - entry.submit_s))

    def _devices_at(self, now: float) -> list[Device]:
        leases: dict[int, list[Lease]] = defaultdict(list)
        for running in self._running.values():
            leases[running.placement.device_id].append(self._lease(running, now))
        return [device._replace(leases=leases[device.id]) for device in self._devices.values()]

    def _lease(self, running: _Running, now: float) -> Lease:
        held_s, placement = now - running.start_s, running.placement
        left = left_after(running.lasts, held_s)
        return Lease(running.job_id, running.owner_id, 0, placement.memory_bytes, placement.threads, held_s, left)
