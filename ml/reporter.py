"""What a recipe says while it works, and the one question it asks: should I stop? Never imports TensorFlow.

In a child the events go up a pipe (`PipeWriter`); in a notebook or a test any function that takes an event will do:
`Reporter(print)`, `Reporter(events.append)`.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from records import events
from records.events import Event

LONGEST_TEXT = 10_000
"""Characters of text that an event may hold."""


class Interruption(Exception):
    """Raised by a recipe that was asked to stop, after it wrote its checkpoint."""

    def __init__(self, step: int) -> None:
        super().__init__(f"Stopped after step {step}, as asked.")
        self.step = step


class PipeClosed(Exception):
    """Raised when nobody reads the events any more."""


class PipeWriter:
    """Writes each event, or answer, as one whole line to a file descriptor, from whichever thread."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lock = threading.Lock()

    def __call__(self, said: BaseModel) -> None:
        """Write one.

        Raises:
            PipeClosed: the reader is gone.
        """
        rest = memoryview(events.format_event(said).encode() + b"\n")
        with self._lock:
            try:
                while rest:
                    rest = rest[os.write(self._fd, rest) :]
            except BrokenPipeError as error:
                raise PipeClosed from error


class Reporter:
    """Turns what a recipe has to say into events.

    Args:
        send: takes each event; called in the thread that reports.
        stop: set from outside when the recipe should come to an end.
        progress_every_s: least time between two progress events, in seconds.
        clock: a monotonic clock in seconds.
    """

    def __init__(
        self,
        send: Callable[[Event], object],
        *,
        stop: threading.Event | None = None,
        progress_every_s: float = 0.2,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._stop = stop or threading.Event()
        self._progress_every_s = progress_every_s
        self._clock = clock
        self._progress_at = -math.inf
        self._has_stepped = False

    @property
    def should_stop(self) -> bool:
        """Whether the recipe was asked to write a checkpoint and stop."""
        return self._stop.is_set()

    def wait(self, seconds: float) -> None:
        """Do nothing for a while, or until asked to stop."""
        self._stop.wait(seconds)

    def stage(
        self,
        stage: Literal["starting", "loading", "building", "training", "painting", "testing", "predicting", "reporting"],
    ) -> None:
        """Say what happens now."""
        self._send(events.Stage(stage=stage))

    def progress(
        self,
        *,
        step: int,
        steps: int,
        epoch: int,
        epochs: int,
        images_per_s: float | None = None,
        time_left_s: float | None = None,
        values: Mapping[str, float] | None = None,
    ) -> None:
        """Say how far training is; what comes too soon after the last is dropped, but never the last step."""
        now = self._clock()
        if step < steps and now - self._progress_at < self._progress_every_s:
            return
        self._progress_at = now
        finite = {name: value for name, value in (values or {}).items() if math.isfinite(value)}
        self._send(
            events.Progress(
                step=step,
                steps=steps,
                epoch=epoch,
                epochs=epochs,
                images_per_s=images_per_s,
                time_left_s=time_left_s,
                values=finite,
            )
        )

    def metrics(self, points: Iterable[tuple[str, int, float]]) -> None:
        """Record metric points (name, step, value); a value that is not finite is recorded as missing."""
        now = datetime.now(UTC)
        made = tuple(
            events.MetricPoint(name=name, step=step, value=float(value) if math.isfinite(value) else None, at=now)
            for name, step, value in points
        )
        if made:
            self._send(events.Metrics(points=made))

    def first_step(self) -> None:
        """Say that the first optimizer step of this attempt is done; once, however often it is called."""
        if self._has_stepped:
            return
        self._has_stepped = True
        self._send(events.FirstStep(at=datetime.now(UTC)))

    def log(self, text: str, level: Literal["info", "warning", "error"] = "info") -> None:
        """Add a line to the job's log."""
        self._send(events.Log(level=level, text=text[:LONGEST_TEXT]))

    def artifact(self, path: Path, *, kind: str, media_type: str) -> None:
        """Hand over a finished file, to be kept under its own name."""
        self._send(events.Artifact(path=path, name=path.name, kind=kind, media_type=media_type))

    def checkpoint(self, path: Path, step: int) -> None:
        """Hand over a finished checkpoint."""
        self._send(events.Checkpoint(path=path, step=step))

    def facts(self, facts: Mapping[str, Any]) -> None:
        """Add to the run's record."""
        self._send(events.Facts(facts=dict(facts)))
