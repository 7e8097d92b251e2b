"""The one place where tests wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_PAUSE_S = 0.02


def eventually(predicate: Callable[[], T], within_s: float = 10.0) -> T:
    """Ask again and again until the answer is true, and return it.

    Raises:
        AssertionError: it was not within that time, in seconds; the text holds the last answer.
    """
    deadline = time.monotonic() + within_s
    while not (answer := predicate()):
        if time.monotonic() > deadline:
            name = getattr(predicate, "__qualname__", repr(predicate))
            raise AssertionError(f"{name} did not come true within {within_s} s; its last answer was {answer!r}")
        time.sleep(_PAUSE_S)
    return answer
