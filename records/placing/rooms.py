"""All devices of one kind, with what is free of each at hand: most of a long queue is turned away by one comparison."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from records.placing.room import Need, Room
from records.placing.snapshot import Demand, Device, Lease


class Rooms:
    """The devices of one kind.

    Args:
        kind: `gpu` or `cpu`.
        devices: of any kind; the others are left out.
    """

    def __init__(self, kind: str, devices: Iterable[Device]) -> None:
        self._is_gpu = kind == "gpu"
        mine = [device for device in devices if (device.kind == "gpu") == self._is_gpu]
        self._rooms = [Room(device) for device in sorted(mine, key=lambda d: (-d.memory_bytes, d.id))]
        self._free = [_free_bytes(room) for room in self._rooms]
        self._most = max(self._free, default=-1)
        self._could_hold: dict[Demand, bool] = {}

    def __iter__(self) -> Iterator[Room]:
        return iter(self._rooms)

    def could_hold(self, demand: Demand) -> bool:
        """Whether such a job could start here if nothing of the yard's ran."""
        if demand not in self._could_hold:
            self._could_hold[demand] = any(room.need(demand) is not None for room in self._rooms)
        return self._could_hold[demand]

    def choose(self, demand: Demand, lasts_s: float) -> tuple[Room, Need] | None:
        """Of the devices with room from now on for so long, the one that the fewest hold, so that nobody shares
        without need; of those, the one that it fills best."""
        for _, _, _, index in sorted(self._with_free(demand)):
            room = self._rooms[index]
            need = room.need(demand)
            if need is not None and room.fits_now(need, lasts_s):
                return room, need
        return None

    def lend(self, room: Room, need: Need, lease: Lease) -> None:
        """Take it now."""
        room.take(0.0, max(1.0, lease.left.likely), need)
        room.leases.append(lease)
        self._free[self._rooms.index(room)] = _free_bytes(room)
        self._most = max(self._free)

    def _with_free(self, demand: Demand) -> list[tuple[int, int, int, int]]:
        """Those with so much memory free, as (jobs that hold it, free memory or how small it is, id, index)."""
        asked = demand.gpu_bytes if self._is_gpu else demand.cpu_bytes
        rooms, free = self._rooms, self._free
        if asked is None:  # nobody knows how much it needs: rather the largest
            return [(0, -free[i], room.device.id, i) for i, room in enumerate(rooms) if not room.leases]
        if asked > self._most:
            return []
        return [(len(room.leases), free[i], room.device.id, i) for i, room in enumerate(rooms) if asked <= free[i]]


def _free_bytes(room: Room) -> int:
    """Memory that is free now; none where no further attempt may run."""
    return room.memory[0] if room.slots[0] > 0 else -1
