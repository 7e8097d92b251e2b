"""How many long requests of a kind one process serves at once. Each holds a thread; none may starve the others."""

from __future__ import annotations

import threading
from collections.abc import Callable

from records.errors import TooManyRequests


class Slots:
    """A fixed number of places.

    Args:
        capacity: how many.
        error: raised by `take` when all are taken.
        text: what it says; `{}` stands for the number.
    """

    def __init__(
        self,
        capacity: int,
        error: type[TooManyRequests] = TooManyRequests,
        text: str = "All {} places of this server process are taken. Try again later.",
    ) -> None:
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
        release = self.take_free()
        if release is None:
            raise self._error(self._text.format(self.capacity))
        return release

    def take_free(self) -> Callable[[], None] | None:
        """Take a place like `take`; None when every place is taken."""
        with self._lock:
            if self._taken >= self.capacity:
                return None
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
