"""Hears one child: gives it its order, takes its events and its log, and stores the files that it hands over."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from contextlib import suppress

from records.artifacts import CHECKPOINT
from records.blobs import Blob, Blobs
from records.errors import BlobUnavailable, JobError, shorten
from records.events import PROGRESS, Artifact, Checkpoint, Event, Failed, Finished, Interrupted, parse_event
from records.logs import MAX_LINE_LENGTH
from records.orders import Order
from worker.batch import Kept
from worker.children import Child
from worker.endings import LastWord
from worker.lines import as_on_a_terminal, read_lines
from worker.recorder import Recorder

log = logging.getLogger("trainyard.listener")

_LONGEST_EVENT = 16 << 20
_MOST_COMPLAINTS = 20
_GONE_WITHIN_S = 10.0
_LAST_LINES = 20


class Listener:
    """Two threads that read a child's two pipes to their ends.

    Files are stored in the thread that reads the events: a child that writes faster than its files can be stored
    is slowed down by its pipe, and nothing piles up here.
    """

    def __init__(
        self, child: Child, order: Order, *, recorder: Recorder, blobs: Blobs, stirred: threading.Event
    ) -> None:
        self.last_word: LastWord = None
        self.not_stored: JobError | None = None
        """Why a file that the child handed over could not be stored."""
        self._child = child
        self._order = order
        self._recorder = recorder
        self._blobs = blobs
        self._stirred = stirred
        self._complaints = 0
        self.last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        """The end of what the child printed."""
        self.ended = False
        """Whether the child has closed its events: it is about to exit."""
        self._threads = [
            threading.Thread(target=target, name=f"child-{child.pid}-{name}", daemon=True)
            for name, target in (("events", self._converse), ("log", self._read_log))
        ]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until all has been heard; call it when the child's whole group is gone."""
        for thread in self._threads:
            thread.join(_GONE_WITHIN_S if thread is not self._threads[0] else None)

    def _converse(self) -> None:
        with suppress(OSError):  # it died before it read its order; its status tells
            _write_all(self._child.orders, self._order.model_dump_json().encode() + b"\n")
        for line in read_lines(self._child.events, _LONGEST_EVENT):
            self._hear(line)
        self.ended = True
        self._stirred.set()

    def _hear(self, line: bytes) -> None:
        try:
            event = parse_event(line)
        except ValueError as error:
            self._complain(f"The child sent what is no event: {shorten(line.decode(errors='replace'), 200)}", error)
            return
        try:
            self._note(event)
        except JobError as error:
            self.not_stored = self.not_stored or error
            self._stirred.set()

    def _note(self, event: Event) -> None:
        if isinstance(event, Artifact | Checkpoint):
            self._store(event)
            return
        if isinstance(event, Finished | Failed | Interrupted):
            self.last_word = event
        self._recorder.take(event)

    def _store(self, event: Artifact | Checkpoint) -> None:
        """Store a file. A checkpoint or a picture on the way that is gone was overtaken by later ones in the pipe."""
        path = event.path.resolve()
        if not path.is_relative_to(self._order.folder.resolve()):
            self._complain(f"The child handed over a file outside its folder: {shorten(path, 200)}", None)
            return
        try:
            blob = self._blobs.put_file(path)
        except BlobUnavailable:
            overtaken = isinstance(event, Checkpoint) or event.kind == PROGRESS
            if overtaken and not path.exists():
                return
            raise
        self._recorder.keep(_kept(blob, event))

    def _complain(self, text: str, error: Exception | None) -> None:
        self._complaints += 1
        if self._complaints <= _MOST_COMPLAINTS:
            log.warning("child.nonsense pid=%s text=%s error=%s", self._child.pid, text, error)
            self._recorder.log(text, "warning")

    def _read_log(self) -> None:
        for line in read_lines(self._child.log, 4 * MAX_LINE_LENGTH):
            text = as_on_a_terminal(line)
            if text:
                self.last_lines.append(text)
                self._recorder.log(text)


def _kept(blob: Blob, event: Artifact | Checkpoint) -> Kept:
    if isinstance(event, Artifact):
        return Kept(blob, event.name, event.kind, event.media_type)
    name = f"checkpoint-{event.step}{event.path.suffix}"
    return Kept(blob, name, CHECKPOINT, "application/octet-stream", event.step)


def _write_all(fd: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]
