"""Flushes a recorder all the time, in a thread of its own, so that no staging and no storing lets a lease lapse."""

from __future__ import annotations

import logging
import threading
import time
from types import TracebackType

from records.errors import LeaseLost
from worker.recorder import Recorder

log = logging.getLogger("trainyard.heartbeat")

_LEAST_PAUSE_S = 0.1
"""Between two flushes, however notable the news."""


class Heartbeat:
    """The beat of one attempt; use it as a context.

    Args:
        recorder: what to flush.
        flush_s: time between flushes when nothing notable comes, in seconds.
        stirred: set when the yard asks for something, so that the supervisor looks at once.
    """

    def __init__(self, recorder: Recorder, *, flush_s: float, stirred: threading.Event) -> None:
        self.lease_lost = False
        self.cancel = False
        self.make_room = False
        self.renewed_at = time.monotonic()
        """When the last renewal of the lease that worked began, by the monotonic clock."""
        self._recorder = recorder
        self._flush_s = flush_s
        self._stirred = stirred
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop beating, and wait for a flush under way: afterwards the caller alone writes."""
        self._closing.set()
        self._recorder.notable.set()
        self._thread.join()

    def _beat(self) -> None:
        failing = False
        while not self._closing.is_set() and not self.lease_lost:
            failing = not self._flush(failing)
            if not self._closing.wait(_LEAST_PAUSE_S):
                # In an outage the unwritten news would wake us ten times a second.
                (self._closing if failing else self._recorder.notable).wait(max(0.0, self._flush_s - _LEAST_PAUSE_S))

    def _flush(self, was_failing: bool) -> bool:
        began = time.monotonic()
        try:
            directive = self._recorder.flush()
        except LeaseLost:
            self.lease_lost = True
            self._stirred.set()
            return True
        except Exception as error:
            if not was_failing:
                log.warning("heartbeat.missed error=%s", error)
            return False
        self.renewed_at = began
        news = (directive.cancel and not self.cancel) or (directive.make_room and not self.make_room)
        self.cancel |= directive.cancel
        self.make_room |= directive.make_room
        if news:
            self._stirred.set()
        return True
