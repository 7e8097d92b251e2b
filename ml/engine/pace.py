"""How fast training goes: how many steps to run before looking up, and how much time is left."""

from __future__ import annotations

from collections.abc import Callable

LOOK_UP_S = 0.25
"""Training looks up about so often, in seconds, to report and to see whether it should stop."""
MEMORY = 0.8
"""Weight of what was known against the newest measurement."""


class Pace:
    """Seconds a step, as a moving mean. The first chunk is one step, which compiles and therefore is not measured."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._step_s: float | None = None
        self._started = False
        self._chunk_at = 0.0

    def begin_chunk(self, remaining: int) -> int:
        """How many steps to run now, out of those that remain in the epoch."""
        self._chunk_at = self._clock()
        if self._step_s is None:
            return min(remaining, 2 if self._started else 1)
        return min(remaining, max(1, round(LOOK_UP_S / max(self._step_s, 1e-6))))

    def end_chunk(self, steps: int) -> None:
        """The steps are done."""
        if not self._started:
            self._started = True
            return
        newest = (self._clock() - self._chunk_at) / steps
        self._step_s = newest if self._step_s is None else MEMORY * self._step_s + (1 - MEMORY) * newest

    def time_left_s(self, steps: int) -> float | None:
        """Time that so many steps will take; None before anything was measured."""
        return None if self._step_s is None else steps * self._step_s

    def images_per_s(self, batch_size: int) -> float | None:
        """Images a second at this batch size."""
        return None if not self._step_s else batch_size / self._step_s
