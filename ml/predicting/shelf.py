"""The models that a predictor holds ready; the one that was asked for longest ago makes room for a new one."""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

M = TypeVar("M")


class Shelf(Generic[M]):
    """A few things by key.

    Args:
        room: at most so many.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._held: OrderedDict[str, M] = OrderedDict()

    @property
    def keys(self) -> tuple[str, ...]:
        """What is held, the one that was asked for last at the end."""
        return tuple(self._held)

    def look(self, key: str) -> M | None:
        """What is held under the key, if anything; it stays as long ago asked for as it was."""
        return self._held.get(key)

    def take(self, key: str, make: Callable[[], M]) -> M:
        """What is held under the key, or what `make` makes, which is held from now on."""
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        while len(self._held) >= self._room:  # before the new one is made, so that both need not fit into memory
            self._held.popitem(last=False)
            gc.collect()  # models hold themselves in circles
        return self._held.setdefault(key, make())
