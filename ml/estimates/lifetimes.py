"""Tensors that live from the operation that makes them to the last one that reads them, and the memory they take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ml.estimates.allocator import Allocator


class Size(NamedTuple):
    """Bytes that grow with the number of images."""

    an_image: int = 0
    fixed: int = 0

    def of(self, images: int) -> int:
        """Bytes for so many images."""
        return self.an_image * images + self.fixed


NOTHING = Size()


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of a computation, as far as memory goes."""

    name: str
    reads: tuple[str, ...] = ()
    """Tensors that must live until it is done; the same one may stand here twice."""
    makes: tuple[tuple[str, Size], ...] = ()
    """New tensors."""
    over: tuple[str, ...] = ()
    """Of those read, the ones whose memory the first new tensor takes over where nobody else needs them."""
    scratch: Size = NOTHING
    """Memory that it needs only while it runs."""


class Schedule:
    """When memory is taken and given back while operations run one after the other. Made once, walked for any batch."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._sizes: list[Size] = []
        self._events: list[int] = []
        """Number of a size, from 1, when it is taken; the negative when it is given back."""
        self._readers = Counter(name for operation in operations for name in operation.reads)
        self._live: dict[str, int] = {}
        for operation in operations:
            self._run(operation)
        for number in self._live.values():
            self._events.append(-number)

    def walk(self, allocator: Allocator, *, images: int, least_bytes: int = 1) -> int:
        """The most that is in use at one time, in bytes, on top of what the allocator has dealt already.

        Args:
            allocator: deals the memory; all that is taken is given back.
            images: at one time.
            least_bytes: smaller tensors are not counted.
        """
        sizes = [0, *(size.an_image * images + size.fixed for size in self._sizes)]
        handles: dict[int, int] = {}
        allocator.peak = allocator.in_use
        for event in self._events:
            if event > 0:
                if sizes[event] >= least_bytes:
                    handles[event] = allocator.allocate(sizes[event])
            elif sizes[-event] >= least_bytes:
                allocator.free(handles.pop(-event))
        return allocator.peak

    def _run(self, operation: Operation) -> None:
        scratch = self._take(operation.scratch) if any(operation.scratch) else 0
        taken = self._make(operation)
        if scratch:
            self._events.append(-scratch)
        for name in operation.reads:
            self._readers[name] -= 1
            if not self._readers[name] and name != taken:
                self._drop(name)
        for name, _ in operation.makes:
            if not self._readers[name]:
                self._drop(name)

    def _make(self, operation: Operation) -> str | None:
        """Take memory for what the operation makes; the name whose memory was taken over, if any."""
        taken = None
        for position, (name, size) in enumerate(operation.makes):
            if position == 0:
                taken = self._spare(operation, size)
            if position == 0 and taken is not None:
                self._live[name] = self._live.pop(taken)
            else:
                self._live[name] = self._take(size)
        return taken

    def _spare(self, operation: Operation, size: Size) -> str | None:
        for name in operation.over:
            last = self._readers[name] == operation.reads.count(name)
            if last and name in self._live and self._sizes[self._live[name] - 1] == size:
                return name
        return None

    def _take(self, size: Size) -> int:
        self._sizes.append(size)
        self._events.append(len(self._sizes))
        return len(self._sizes)

    def _drop(self, name: str) -> None:
        number = self._live.pop(name, None)
        if number is not None:
            self._events.append(-number)
