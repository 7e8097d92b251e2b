"""Tensors that live from the operation that makes them to the last one that reads them, and the memory they take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ml.estimates.allocator import Allocator


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of a computation, as far as memory goes."""

    name: str
    reads: tuple[str, ...] = ()
    """Tensors that must live until it is done; the same one may stand here twice."""
    makes: tuple[tuple[str, int], ...] = ()
    """New tensors, with their bytes."""
    over: tuple[str, ...] = ()
    """Of those read, the ones whose memory the first new tensor takes over where nobody else needs them."""
    scratch_bytes: int = 0
    """Memory that it needs only while it runs."""


class Walk:
    """Runs operations one after the other over an allocator, in memory alone.

    Args:
        allocator: deals the memory.
        least_bytes: smaller tensors are not counted.
    """

    def __init__(self, allocator: Allocator, *, least_bytes: int = 1) -> None:
        self.allocator = allocator
        self._least_bytes = least_bytes
        self._live: dict[str, tuple[int, int]] = {}
        """Handle and bytes of each counted tensor."""

    def hold(self, sizes: Iterable[int]) -> None:
        """Allocate what stays: weights, optimizer slots, data."""
        for size in sizes:
            if size >= self._least_bytes:
                self.allocator.allocate(size)

    def run(self, operations: Sequence[Operation]) -> int:
        """The most that was in use at one time while these ran, in bytes. Every tensor they made is gone afterwards."""
        readers = Counter(name for operation in operations for name in operation.reads)
        self.allocator.peak = self.allocator.in_use
        for operation in operations:
            taken = self._make(operation, readers)
            for name in operation.reads:
                readers[name] -= 1
                if not readers[name] and name != taken:
                    self._drop(name)
            for name, _ in operation.makes:
                if not readers[name]:
                    self._drop(name)
        for name in list(self._live):
            self._drop(name)
        return self.allocator.peak

    def _make(self, operation: Operation, readers: Counter[str]) -> str | None:
        """Allocate what the operation makes; the name whose memory was taken over, if any."""
        taken = None
        scratch = self._allocate(operation.scratch_bytes)
        for position, (name, size) in enumerate(operation.makes):
            if position == 0:
                taken = self._spare(operation, size, readers)
            if position == 0 and taken is not None:
                self._live[name] = self._live.pop(taken)
                continue
            handle = self._allocate(size)
            if handle is not None:
                self._live[name] = (handle, size)
        if scratch is not None:
            self.allocator.free(scratch)
        return taken

    def _spare(self, operation: Operation, size: int, readers: Counter[str]) -> str | None:
        for name in operation.over:
            last = readers[name] == operation.reads.count(name)
            if last and name in self._live and self._live[name][1] == size:
                return name
        return None

    def _allocate(self, size: int) -> int | None:
        return self.allocator.allocate(size) if size >= self._least_bytes else None

    def _drop(self, name: str) -> None:
        held = self._live.pop(name, None)
        if held is not None:
            self.allocator.free(held[0])
