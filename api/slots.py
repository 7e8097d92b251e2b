"""How many long requests of a kind one process serves at once. Each holds a thread; none may starve the others."""

from __future__ import annotations

import threading
from collections.abc import Callable

from records.errors import TooManyRequests


class Slots:
    """A fixed number of places.

    Args:
        capacity: how many.
        error: raised when all are taken.
        text: what it says; `{}` stands for the number.
    """

    def __init__(self, capacity: int, error: type[TooManyRequests], text: str) -> None:
        self.capacity = capacity
        self._error, self._text = error, text
        self._taken = 0
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        """How many are taken."""
        return self._taken

    def take(self) -> Callable[[], None]:
        """Take a place; call what comes back, once or more often, to give it back.

        Raises:
            TooManyRequests: every place is taken.
        """
        with self._lock:
            if self._taken >= self.capacity:
                raise self._error(self._text.format(self.capacity))
            self._taken += 1
        return self._release_once()

    def _release_once(self) -> Callable[[], None]:
        held = [True]

        def release() -> None:
            with self._lock:
                if held:
                    held.clear()
                    self._taken -= 1

        return release
