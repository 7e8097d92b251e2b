"""Events up standard output, one line of JSON each."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from records.intake import IntakeEvent, IntakeProgress, Stage

EVERY_S = 0.2


class Teller:
    """Sends events; progress at most five times a second, but every stage's end.

    Args:
        send: takes each event.
        clock: a monotonic clock in seconds.
    """

    def __init__(self, send: Callable[[IntakeEvent], object], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._send = send
        self._clock = clock
        self._told_at = -EVERY_S
        self._told: IntakeProgress | None = None

    def progress(self, stage: Stage) -> Callable[[int, int], None]:
        """What hears how far a stage is: done, of."""

        def tell(done: int, of: int) -> None:
            now, progress = self._clock(), IntakeProgress(stage=stage, done=done, of=of)
            if progress != self._told and (done == of or now - self._told_at >= EVERY_S):
                self._told_at, self._told = now, progress
                self._send(progress)

        return tell


def write_line(fd: int) -> Callable[[IntakeEvent], None]:
    """Sends each event as one whole line to a descriptor.

    Raises:
        BrokenPipeError: when sending, where nobody reads any more.
    """

    def send(event: IntakeEvent) -> None:
        rest = event.model_dump_json().encode() + b"\n"
        while rest:
            rest = rest[os.write(fd, rest) :]

    return send
