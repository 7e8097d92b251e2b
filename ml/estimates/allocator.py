"""How much memory a sequence of allocations takes: counted exactly, or as TensorFlow's allocator deals it.

TensorFlow's best-fit allocator with coalescing (BFC) hands out the smallest free chunk that is large enough, and cuts
it only when it is at least twice as large as asked for. What it hands out beyond the request counts as used.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Protocol

GRAIN_BYTES = 256
FIRST_REGION_BYTES = 2 * 2**20
MOST_WASTE_BYTES = 128 * 2**20
"""A chunk with more than this beyond the request is cut in any case."""


class Allocator(Protocol):
    """Deals memory and remembers the most that was dealt at one time."""

    in_use: int
    peak: int

    def allocate(self, size: int) -> int:
        """A handle for so many bytes."""
        ...

    def free(self, handle: int) -> None:
        """Give them back."""
        ...


class ExactAllocator:
    """Deals every byte as asked: no rounding, no gaps."""

    def __init__(self) -> None:
        self.in_use = 0
        self.peak = 0
        self._sizes: dict[int, int] = {}
        self._next = 0

    def allocate(self, size: int) -> int:
        """A handle for so many bytes."""
        self._next += 1
        self._sizes[self._next] = size
        self.in_use += size
        self.peak = max(self.peak, self.in_use)
        return self._next

    def free(self, handle: int) -> None:
        """Give them back."""
        self.in_use -= self._sizes.pop(handle)


class BestFitAllocator:
    """Deals as TensorFlow's BFC allocator does when it may grow. A handle is an address."""

    def __init__(self) -> None:
        self.in_use = 0
        self.peak = 0
        self._region_bytes = FIRST_REGION_BYTES
        self._end = 0
        self._used: dict[int, int] = {}
        self._free: list[tuple[int, int]] = []
        """(size, address), the smallest first."""
        self._free_at: dict[int, int] = {}
        self._free_until: dict[int, int] = {}

    def allocate(self, size: int) -> int:
        """The address of the smallest free chunk that will do."""
        wanted = max(GRAIN_BYTES, -(-size // GRAIN_BYTES) * GRAIN_BYTES)
        index = bisect_left(self._free, (wanted, 0))
        if index == len(self._free):
            self._grow(wanted)
            index = bisect_left(self._free, (wanted, 0))
        found, address = self._free[index]
        self._take(found, address)
        if found >= 2 * wanted or found - wanted >= MOST_WASTE_BYTES:
            self._put(found - wanted, address + wanted)
            found = wanted
        self._used[address] = found
        self.in_use += found
        self.peak = max(self.peak, self.in_use)
        return address

    def free(self, handle: int) -> None:
        """Give a chunk back, and join it with its free neighbours."""
        size, address = self._used.pop(handle), handle
        self.in_use -= size
        after = self._free_at.get(address + size)
        if after is not None:
            self._take(after, address + size)
            size += after
        before = self._free_until.get(address)
        if before is not None:
            address -= before
            size += before
            self._take(before, address)
        self._put(size, address)

    def _grow(self, wanted: int) -> None:
        """A new region from the system; each is twice the one before. Regions never join: one byte lies between."""
        grown = wanted > self._region_bytes
        while wanted > self._region_bytes:
            self._region_bytes *= 2
        self._put(self._region_bytes, self._end)
        self._end += self._region_bytes + 1
        if not grown:
            self._region_bytes *= 2

    def _put(self, size: int, address: int) -> None:
        insort(self._free, (size, address))
        self._free_at[address] = size
        self._free_until[address + size] = size

    def _take(self, size: int, address: int) -> None:
        del self._free[bisect_left(self._free, (size, address))]
        del self._free_at[address]
        del self._free_until[address + size]
