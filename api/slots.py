"""How many requests of one process may take long. Each holds a thread, and they must never starve the others."""

from __future__ import annotations

import threading
from collections.abc import Callable

from records.errors import TooManyStreams


class Slots:
    """A fixed number of places."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._taken = 0
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        """How many are taken."""
        return self._taken

    def take_free(self) -> Callable[[], None] | None:
        """Take a place; call what comes back, once or more often, to give it back. None when every place is taken."""
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


class StreamSlots(Slots):
    """Places for event streams."""

    def take(self) -> Callable[[], None]:
        """Take a place, like `take_free`.

        Raises:
            TooManyStreams: every place is taken.
        """
        release = self.take_free()
        if release is None:
            raise TooManyStreams(
                f"All {self.capacity} event streams of this server process are taken. "
                "Poll the job with If-None-Match, and its metrics and events with `after=`, or try again later."
            )
        return release
