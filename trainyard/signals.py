"""Waiting in a main thread that signals wake at once."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Signals:
    """Counts the requests to stop, and waits until the next signal. Only in the main thread."""

    def __init__(self) -> None:
        self.stops = 0
        self._reader, self._writer = os.pipe()
        for end in (self._reader, self._writer):
            os.set_blocking(end, False)

    @contextmanager
    def caught(self) -> Iterator[Signals]:
        """Take SIGINT, SIGTERM and SIGHUP as requests to stop, and let a child's end wake us; at the end undo it."""
        ours = {s: self._stop for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)} | {signal.SIGCHLD: _nothing}
        before = {number: signal.signal(number, act) for number, act in ours.items()}
        previous = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        try:
            yield self
        finally:
            signal.set_wakeup_fd(previous)
            for number, act in before.items():
                signal.signal(number, act)

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until a signal comes. True when one came."""
        if not select.select([self._reader], [], [], seconds)[0]:
            return False
        os.read(self._reader, 4096)
        return True

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stops += 1


def _nothing(number: int, frame: FrameType | None) -> None:
    """Have a handler, so that the signal wakes the main thread."""
