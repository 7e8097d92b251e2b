"""In which order a dataflow executor with a few threads takes operations up, so that memory can be walked that way.

As TensorFlow's executor does (`executor.cc`, `RunHandler` left aside): a thread that has ended an operation goes on
with what became ready through it, cheap operations first and then the last of the others; the rest goes on its own
pile. It takes from its own pile what came last; when there is nothing, from another's what came first. So one thread
runs ahead along the chain of gradients, while another is behind with the gradients of weights and their updates.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from heapq import heappop, heappush
from random import Random
from typing import NamedTuple

WAKE_S = 60e-6
"""Until a sleeping thread has noticed that there is work."""
JITTER = 0.5
"""An operation takes its time, less or more up to this share of it."""


class Task(NamedTuple):
    """An operation, as far as its turn goes."""

    work_s: float
    """How long a thread is busy with it."""
    cheap: bool
    """Whether it is done at once by the thread that made it ready, and never handed over."""
    readers: Sequence[int]
    """The tasks that wait for it, by number; as often as they do."""


class Executor:
    """Runs tasks in memory alone.

    Args:
        tasks: by number.
        threads: that work at the same time.
    """

    def __init__(self, tasks: Sequence[Task], *, threads: int = 2) -> None:
        self._work = [task.work_s for task in tasks]
        self._cheap = [task.cheap for task in tasks]
        self._readers = [task.readers for task in tasks]
        self._waits = [0] * len(tasks)
        for task in tasks:
            for reader in task.readers:
                self._waits[reader] += 1
        self._threads = range(threads)

    def run(self, random: Random | None = None) -> list[int]:
        """One step: the starts, each the task's number and one, and the ends, its negative, in the order of time.

        Args:
            random: draws how long each operation takes, and in which order the readers of one are looked at, which in
                TensorFlow depends on addresses. Without it each takes as long as it should.
        """
        waits, events, draw = list(self._waits), list[int](), random.random if random else _middle
        at_once: list[deque[int]] = [deque() for _ in self._threads]
        piles: list[deque[int]] = [deque() for _ in self._threads]
        asleep = list(self._threads)[1:]
        for number, count in enumerate(waits):
            if not count:
                (at_once if self._cheap[number] else piles)[0].append(number)
        clock: list[tuple[float, int, int]] = [(0.0, 0, -1)]
        """Thread, and the task that it ends at that time; -1 where it wakes up."""
        while clock:
            now, thread, done = heappop(clock)
            if done >= 0:
                events.append(-done - 1)
                self._hand_on(done, waits, at_once[thread], piles[thread], draw())
            while asleep and any(piles):
                heappush(clock, (now + WAKE_S, asleep.pop(), -1))
            number = self._next(thread, at_once, piles)
            if number is None:
                asleep.append(thread)
                continue
            events.append(number + 1)
            busy_s = self._work[number] * (1 - JITTER + 2 * JITTER * draw())
            heappush(clock, (now + busy_s, thread, number))
        return events

    def _hand_on(self, done: int, waits: list[int], at_once: deque[int], pile: deque[int], drawn: float) -> None:
        """Give what became ready to the thread that ended a task; it keeps one that is not cheap, if it is idle."""
        ready = []
        for reader in self._readers[done]:
            waits[reader] -= 1
            if not waits[reader]:
                if self._cheap[reader]:
                    at_once.append(reader)
                else:
                    ready.append(reader)
        if len(ready) > 1:
            first = int(drawn * len(ready))
            ready = ready[first:] + ready[:first]
        if ready and not at_once:
            at_once.append(ready.pop())
        pile.extend(ready)

    def _next(self, thread: int, at_once: list[deque[int]], piles: list[deque[int]]) -> int | None:
        if at_once[thread]:
            return at_once[thread].popleft()
        if piles[thread]:
            return piles[thread].pop()
        for other in self._threads:
            if piles[other]:
                return piles[other].popleft()
        return None


def _middle() -> float:
    return 0.5
