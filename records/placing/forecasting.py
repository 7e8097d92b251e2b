"""When blocked jobs are expected to start: the first ones planned one by one, the rest by the sum of the work."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from records.placing.order import typical_device
from records.placing.plan import Forecast
from records.placing.reasons import Why
from records.placing.room import NEVER, Need, Room
from records.placing.rooms import Rooms
from records.placing.sizes import charged_bytes, leased_bytes, lendable_bytes
from records.placing.snapshot import Demand, WaitingJob

_LOOKS = 4000
"""About so many looks at a device are spent on planning one by one."""
_FEWEST, _MOST = 8, 200
_PACKED = 0.85
"""Part of all memory that is taken to be in use while jobs wait."""

Forecasts = dict[int, Forecast]
Whys = dict[int, Why]
DemandOf = Callable[[WaitingJob], Demand]


def forecast_rest(
    blocked: Sequence[WaitingJob], kinds: Sequence[Rooms], why: Whys, forecasts: Forecasts, *, demand_of: DemandOf
) -> None:
    """Add a forecast, and what it waits for, of every blocked job that has none yet.

    Takes what it plans from the rooms: who calls this holds the room.
    """
    rooms = [room for kind in kinds for room in kind]
    depth = max(_FEWEST, min(_MOST, _LOOKS // max(1, len(rooms))))
    for job in blocked[:depth]:
        if job.id not in why:
            _plan(job, demand_of(job), rooms, why, forecasts)
    if len(blocked) > depth and rooms:
        _sum_up(blocked, depth, kinds, rooms, why, forecasts, demand_of)


def _plan(job: WaitingJob, demand: Demand, rooms: Sequence[Room], why: Whys, forecasts: Forecasts) -> None:
    """Plan the job where it can start first."""
    best: tuple[float, int, Room, Need] | None = None
    free_now = False
    for index, room in enumerate(rooms):
        need = room.need(demand)
        if need is None:
            continue
        free_now = free_now or room.is_free_now(need)
        start = room.earliest(need, job.lasts.likely)
        if start < NEVER and (best is None or (start, index) < best[:2]):
            best = start, index, room, need
    if best is None:
        why[job.id] = Why(fits_nowhere=True)
        return
    start, _, room, need = best
    room.take(start, start + max(1.0, job.lasts.likely), need)
    forecasts[job.id] = Forecast(start, room.device.id)
    why[job.id] = Why(device=room.as_lent, need=need, start_s=start, free_now=free_now)


def _sum_up(
    blocked: Sequence[WaitingJob],
    depth: int,
    kinds: Sequence[Rooms],
    rooms: Sequence[Room],
    why: Whys,
    forecasts: Forecasts,
    demand_of: DemandOf,
) -> None:
    """A start for each job behind the planned ones: where the work before it, spread over all memory, ends."""
    devices = [room.device for room in rooms]
    rate = _PACKED * sum(map(lendable_bytes, devices))
    if rate <= 0:
        return
    typical, sizes = typical_device(devices), dict[Demand, float]()
    before = sum(leased_bytes(lease, device) * lease.left.likely for device in devices for lease in device.leases)
    last_planned = behind = 0.0
    for place, job in enumerate(blocked):
        demand = demand_of(job)
        if demand not in sizes:
            sizes[demand] = charged_bytes(demand, typical)
        if place < depth:
            last_planned = max(last_planned, forecasts[job.id].start_s if job.id in forecasts else 0.0)
            behind = max(0.0, last_planned - before / rate)
        elif any(kind.could_hold(demand) for kind in kinds):
            forecasts[job.id] = Forecast(behind + before / rate)
        else:
            why[job.id] = Why(fits_nowhere=True)
            continue
        before += sizes[demand] * job.lasts.likely
