"""`place` itself: one walk along the queue, and what follows for those that cannot start.

A job that cannot start now, and is among the first that cannot, gets a *reservation*: the earliest moment at which
enough is expected to be free, from the expected ends of what runs. A later job may slip past only where it fits
beside every reservation, or ends before it even if it lasts as long as it may (backfill; Mu'alem and Feitelson 2001
compare holding room for one job with holding it for all: here it is held for the first few).
"""

from __future__ import annotations

from collections import Counter, defaultdict

from records.placing.forecasting import forecast_rest
from records.placing.order import in_order
from records.placing.plan import Forecast, Placement, Plan, Preemption, Reason
from records.placing.policy import Policy
from records.placing.preempting import choose_victims, make_room
from records.placing.reasons import MAKING_ROOM, Why, give_reasons, quota_running, retry_later
from records.placing.refusals import Refusals
from records.placing.room import Need, Room
from records.placing.rooms import Rooms
from records.placing.sizes import granted_threads
from records.placing.snapshot import WHOLE, Demand, Lease, Snapshot, WaitingJob

FEWEST_RESERVATIONS, MOST_RESERVATIONS = 2, 8
"""Room is held for as many waiting jobs as there are devices, within these bounds."""


def place(snapshot: Snapshot, policy: Policy | None = None) -> Plan:
    """Decide what starts now, and tell of every other job why it waits and when it is expected to start."""
    policy = policy or Policy()
    order = in_order(snapshot, policy)
    planner = _Planner(snapshot, policy)
    blocked = [job for job in order if planner.is_blocked(job)]
    forecast_rest(blocked, planner.kinds, planner.why, planner.forecasts, demand_of=planner.demand_of)
    return Plan(
        placements=tuple(planner.placements),
        reasons=give_reasons(snapshot, blocked, planner.why) | planner.held,
        forecasts=planner.forecasts,
        preemptions=tuple(planner.preemptions),
        order=tuple(job.id for job in order),
    )


class _Planner:
    def __init__(self, snapshot: Snapshot, policy: Policy) -> None:
        self.kinds = (Rooms("gpu", snapshot.devices), Rooms("cpu", snapshot.devices))
        self.placements: list[Placement] = []
        self.preemptions: list[Preemption] = []
        self.forecasts: dict[int, Forecast] = {}
        self.held: dict[int, Reason] = {}
        """Why jobs wait for something else than room."""
        self.why: dict[int, Why] = {}
        """What stands in the way of the others."""
        self._snapshot = snapshot
        self._policy = policy
        self._ends: dict[int, list[float]] = defaultdict(list)
        for lease in (lease for device in snapshot.devices for lease in device.leases):
            self._ends[lease.owner_id].append(lease.left.likely)
        self._running = Counter({owner_id: len(ends) for owner_id, ends in self._ends.items()})
        self._refusals = Refusals()
        self._reservations_left = max(FEWEST_RESERVATIONS, min(MOST_RESERVATIONS, len(snapshot.devices)))

    def demand_of(self, job: WaitingJob) -> Demand:
        """What the job gets under this policy."""
        return job.demand if self._policy.packs else WHOLE

    def is_blocked(self, job: WaitingJob) -> bool:
        """Place the job, or say why it is held; true when it waits for room alone."""
        reason = self._reason_to_hold(job)
        if reason is not None:
            self.held[job.id] = reason
            return False
        if self._place(job, self.demand_of(job)):
            return False
        if self._reservations_left:
            if self._policy.preempts and not self.preemptions:
                self._preempt(job)
            self._reserve(job)
        return True

    def _reason_to_hold(self, job: WaitingJob) -> Reason | None:
        if job.not_before is not None and job.not_before > self._snapshot.at:
            self.forecasts[job.id] = Forecast((job.not_before - self._snapshot.at).total_seconds())
            return retry_later(job.not_before)
        if job.owner_id in self._snapshot.barred:
            return self._snapshot.barred[job.owner_id]
        most = self._policy.most_running
        if most is None or self._running[job.owner_id] < most:
            return None
        if ends := self._ends[job.owner_id]:
            self.forecasts[job.id] = Forecast(min(ends))
        return quota_running(most)

    def _place(self, job: WaitingJob, demand: Demand) -> bool:
        lasts_s = job.lasts.high
        if self._refusals.covers(demand, lasts_s):
            return False
        for rooms in self.kinds:
            found = rooms.choose(demand, lasts_s)
            if found is not None:
                self._lend(job, demand, rooms, *found)
                return True
        self._refusals.add(demand, lasts_s)
        return False

    def _lend(self, job: WaitingJob, demand: Demand, rooms: Rooms, room: Room, need: Need) -> None:
        self._running[job.owner_id] += 1
        threads = granted_threads(demand, room.device)
        rooms.lend(room, need, Lease(job.id, job.owner_id, job.priority, need.memory_bytes, threads, 0.0, job.lasts))
        self.placements.append(Placement(job.id, room.device.id, need.memory_bytes, threads))

    def _reserve(self, job: WaitingJob) -> None:
        forecast_rest([job], self.kinds, self.why, self.forecasts, demand_of=self.demand_of)
        self._reservations_left -= job.id in self.forecasts

    def _preempt(self, job: WaitingJob) -> None:
        """Ask jobs of lower priority to stop for this one, where that gives it room; for one job a pass."""
        rooms = [room for kind in self.kinds for room in kind]
        found = choose_victims(job, self.demand_of(job), rooms, least_run_s=self._policy.least_run_s)
        if found is not None:
            room, victims = found
            self.preemptions = [Preemption(lease.job_id, job.id) for lease in victims]
            self.held[job.id] = MAKING_ROOM
            make_room(room, victims)
