"""What is free of one device, now and later: steps over time, from which what is lent and what is planned is taken."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import NamedTuple

from records.placing.sizes import LEAST_WHOLE, is_whole, lendable_bytes, needed_bytes, needed_threads
from records.placing.snapshot import Demand, Device

NEVER = float("inf")


class Need(NamedTuple):
    """What a job takes of one device."""

    memory_bytes: int
    threads: int
    slots: int


class Room:
    """A device with its future. Times are seconds from the snapshot.

    Between `times[i]` and the next, `memory[i]`, `threads[i]` and `slots[i]` are free; the last step lasts for ever.
    """

    def __init__(self, device: Device) -> None:
        self.device = device
        self.leases = list(device.leases)
        """Of the device, and those that this pass adds."""
        self.times = [0.0]
        self.memory = [lendable_bytes(device)]
        self.threads = [0 if device.kind == "gpu" else device.threads]
        self.slots = [device.slots]
        for lease in device.leases:
            threads = 0 if device.kind == "gpu" else lease.threads
            self.take(0.0, max(1.0, lease.left.likely), Need(lease.memory_bytes, threads, 1))

    @property
    def as_lent(self) -> Device:
        """The device with what this pass has added to it."""
        return self.device._replace(leases=tuple(self.leases))

    def need(self, demand: Demand) -> Need | None:
        """What such a job takes here; None where it could not start even if nothing of the yard's ran here."""
        device = self.device
        if is_whole(demand, device):
            lendable = lendable_bytes(device)
            whole = lendable >= LEAST_WHOLE * device.memory_bytes
            return Need(lendable, needed_threads(demand, device), device.slots) if whole else None
        memory_bytes = needed_bytes(demand, device)
        if memory_bytes > lendable_bytes(device):
            return None
        return Need(memory_bytes, needed_threads(demand, device), 1)

    def is_free_now(self, need: Need) -> bool:
        """Whether so much is free at this moment, whatever is planned for later."""
        return self._holds(0, need)

    def fits_now(self, need: Need, lasts_s: float) -> bool:
        """Whether so much is free from now on for so long, past all that is lent and planned."""
        for index in range(bisect_left(self.times, lasts_s)):
            if not self._holds(index, need):
                return False
        return self._holds(0, need)

    def earliest(self, need: Need, lasts_s: float) -> float:
        """The first moment from which so much is free for so long; `NEVER` when there is none."""
        start, index = 0.0, 0
        steps = len(self.times)
        while index < steps:
            if not self._holds(index, need):
                index += 1
                start = self.times[index] if index < steps else NEVER
            elif index + 1 == steps or self.times[index + 1] >= start + lasts_s:
                return start
            else:
                index += 1
        return NEVER

    def take(self, start: float, end: float, need: Need) -> None:
        """Take so much away between two moments. What is lent beyond the room (of a device that shrank) counts."""
        first, last = self._cut(start), self._cut(end)
        for index in range(first, last):
            self.memory[index] -= need.memory_bytes
            self.threads[index] -= need.threads
            self.slots[index] -= need.slots

    def _holds(self, index: int, need: Need) -> bool:
        return (
            need.memory_bytes <= self.memory[index]
            and need.threads <= self.threads[index]
            and need.slots <= self.slots[index]
        )

    def _cut(self, time: float) -> int:
        """The index of the step that begins at this moment, made if there is none."""
        index = bisect_right(self.times, time) - 1
        if self.times[index] != time:
            index += 1
            self.times.insert(index, time)
            self.memory.insert(index, self.memory[index - 1])
            self.threads.insert(index, self.threads[index - 1])
            self.slots.insert(index, self.slots[index - 1])
        return index
