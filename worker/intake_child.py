"""The process that looks at people's images: started here, heard here, trusted by nobody."""

from __future__ import annotations

import collections
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from records.errors import shorten
from records.intake import IntakeFinished, IntakeOrder, IntakeProgress, IntakeRefused, parse_intake_event
from worker.children import Child, Spawned, with_pipes
from worker.lines import as_on_a_terminal, read_lines

log = logging.getLogger("trainyard.intake")

INTAKE = (sys.executable, "-m", "ml.intake")
_LONGEST_EVENT = 1 << 16
_LONGEST_LINE = 4_000
_KEPT_LINES = 20


def start_intake(environment: Mapping[str, str], command: Sequence[str] = INTAKE) -> Child:
    """Start the process, which waits for its order, in a group of its own.

    Raises:
        OSError: it could not be started.
    """

    def spawn(orders: int, events: int, text: int) -> Spawned:
        return Spawned(
            subprocess.Popen(
                list(command), stdin=orders, stdout=events, stderr=text, start_new_session=True, env=dict(environment)
            )
        )

    return with_pipes(spawn)


class IntakeEar:
    """Two threads that give an intake its order and read what it says to the end."""

    def __init__(self, child: Child, order: IntakeOrder) -> None:
        self.progress: dict[str, Any] = {}
        self.last_word: IntakeFinished | IntakeRefused | None = None
        self._child = child
        self._order = order
        self._lines: collections.deque[str] = collections.deque(maxlen=_KEPT_LINES)
        self._threads = [threading.Thread(target=one, daemon=True) for one in (self._converse, self._read_log)]
        for thread in self._threads:
            thread.start()

    @property
    def last_lines(self) -> str:
        """The end of its log."""
        return "\n".join(self._lines)

    def join(self) -> None:
        """Wait until all has been heard; call it when the child's whole group is gone."""
        for thread in self._threads:
            thread.join()

    def _converse(self) -> None:
        with suppress(OSError):  # it died before it read its order; its status tells
            os.write(self._child.orders, self._order.model_dump_json().encode() + b"\n")
        for line in read_lines(self._child.events, _LONGEST_EVENT):
            try:
                event = parse_intake_event(line)
            except ValueError:
                log.warning("intake.nonsense pid=%s line=%r", self._child.pid, shorten(line.decode(errors="replace")))
                continue
            if isinstance(event, IntakeProgress):
                self.progress = event.model_dump(exclude={"event"})
            else:
                self.last_word = event

    def _read_log(self) -> None:
        for line in read_lines(self._child.log, _LONGEST_LINE):
            text = as_on_a_terminal(line)
            if text:
                self._lines.append(text)
