"""Tensors that live from the operation that makes them to the last one that reads them, and the memory they take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ml.estimates.allocator import Allocator


class Size(NamedTuple):
    """Bytes that grow with the number of images."""

    an_image: int = 0
    fixed: int = 0

    def of(self, images: int) -> int:
        """Bytes for so many images."""
        return self.an_image * images + self.fixed

    def times(self, count: int) -> Size:
        """So many of them."""
        return Size(self.an_image * count, self.fixed * count)


NOTHING = Size()


class Operation(NamedTuple):
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
    views: str = ""
    """The variable that what it makes is: no memory is taken, but the variable's lives as long as that is read."""
    updates: str = ""
    """The variable whose numbers it changes: in place, or in a copy where a view of it is still to be read."""
    replaces: str = ""
    """The variable that becomes the first tensor read; its old memory goes when no view of it is left."""


class Schedule:
    """When memory is taken and given back while operations run. Made once, walked for any batch.

    Args:
        operations: in order; each one ends before the next begins.
        turns: another order, in which several may run at one time: of each, its number and one where it starts, the
            negative where it ends (`ml.estimates.executor`).
        variables: what is there before and after, by name. Whoever reads one by that name reads what it was at the
            beginning.
    """

    def __init__(
        self,
        operations: Sequence[Operation],
        *,
        turns: Iterable[int] | None = None,
        variables: Mapping[str, Size] | None = None,
    ) -> None:
        self._sizes: list[Size] = [NOTHING]
        self._events: list[int] = []
        """Number of a size, from 1, when it is taken; the negative when it is given back."""
        self._readers = Counter(name for operation in operations for name in operation.reads)
        self._live: dict[str, int] = {}
        """By tensor, the number of its memory."""
        self._users: list[int] = [0]
        """By number: of the tensors that are it and are still to be read, how often; and one more for a variable."""
        self._scratch: dict[int, int] = {}
        self._begin = {
            name: self._number(size, users=1 + self._readers[name]) for name, size in (variables or {}).items()
        }
        self._variables = dict(self._begin)
        self._live |= self._begin
        if turns is None:
            turns = (turn for number in range(1, len(operations) + 1) for turn in (number, -number))
        for turn in turns:
            if turn > 0:
                self._start(turn, operations[turn - 1])
            else:
                self._end(-turn, operations[-turn - 1])

    def walk(
        self, allocator: Allocator, *, images: int, least_bytes: int = 1, held: dict[str, int] | None = None
    ) -> int:
        """The most that is in use at one time, in bytes, on top of what the allocator has dealt already.

        Args:
            allocator: deals the memory; all that is taken is given back, but for the variables'.
            images: at one time.
            least_bytes: smaller tensors are not counted.
            held: the handles of the variables' memory; changed where a variable moves.
        """
        sizes = [size.an_image * images + size.fixed for size in self._sizes]
        held = {} if held is None else held
        handles = {number: held[name] for name, number in self._begin.items() if name in held}
        allocator.peak = allocator.in_use
        for event in self._events:
            if event > 0:
                if sizes[event] >= least_bytes:
                    handles[event] = allocator.allocate(sizes[event])
            elif -event in handles:
                allocator.free(handles.pop(-event))
        held.update((name, handles[number]) for name, number in self._variables.items() if number in handles)
        return allocator.peak

    def _start(self, turn: int, operation: Operation) -> None:
        if any(operation.scratch):
            self._scratch[turn] = self._take(operation.scratch)
        if operation.views:
            self._view(operation.makes[0][0], self._variables[operation.views])
        elif operation.updates:
            self._update(operation.updates)
        elif operation.replaces:
            self._replace(operation.replaces, operation.reads)
        else:
            self._make(operation)

    def _end(self, turn: int, operation: Operation) -> None:
        if turn in self._scratch:
            self._events.append(-self._scratch.pop(turn))
        for name in operation.reads:
            if name in self._live:
                self._release(self._live[name])
        for name, _ in operation.makes:
            if not self._readers[name] and not operation.views:
                self._release(self._live[name])

    def _make(self, operation: Operation) -> None:
        """Take memory for what the operation makes, or write over what it alone still reads."""
        for position, (name, size) in enumerate(operation.makes):
            number = self._spare(operation, size) if position == 0 and operation.over else None
            if number is None:
                number = self._take(size)
            self._view(name, number)
            if not self._readers[name]:
                self._users[number] += 1

    def _spare(self, operation: Operation, size: Size) -> int | None:
        for name in operation.over:
            number = self._live.get(name)
            if number and self._sizes[number] == size and self._users[number] == operation.reads.count(name):
                return number
        return None

    def _view(self, name: str, number: int) -> None:
        self._live[name] = number
        self._users[number] += self._readers[name]

    def _update(self, variable: str) -> None:
        number = self._variables[variable]
        if self._users[number] > 1:
            self._variables[variable] = self._take(self._sizes[number])
            self._users[self._variables[variable]] = 1
            self._release(number)

    def _replace(self, variable: str, reads: tuple[str, ...]) -> None:
        number = next((self._live[name] for name in reads if name in self._live), 0)
        if number:
            self._users[number] += 1
            self._release(self._variables[variable])
            self._variables[variable] = number

    def _take(self, size: Size) -> int:
        number = self._number(size)
        self._events.append(number)
        return number

    def _number(self, size: Size, *, users: int = 0) -> int:
        self._sizes.append(size)
        self._users.append(users)
        return len(self._sizes) - 1

    def _release(self, number: int) -> None:
        self._users[number] -= 1
        if not self._users[number]:
            self._events.append(-number)
