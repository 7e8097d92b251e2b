"""What comes up a child's pipe: one JSON object a line, told apart by `event`.

A child reports; it never decides. What an event means for the job is decided by the worker's parent process.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

INTERRUPTED_EXIT = 75
"""Exit status of a child that wrote a checkpoint and stopped because it was asked to (EX_TEMPFAIL)."""

PROGRESS = "progress"
"""Kind of an artifact that shows how far the child is; each takes the place of the one before."""


class _Event(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MetricPoint(_Event):
    """One value of one metric. Steps count optimizer steps from 1, over all epochs."""

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
    step: Annotated[int, Field(ge=0, le=10**12)]
    value: float | None
    """None where the value is not a finite number."""
    at: datetime


class Metrics(_Event):
    """New metric points. The same (name, step) again replaces the earlier value."""

    event: Literal["metrics"] = "metrics"
    points: tuple[MetricPoint, ...]


class Stage(_Event):
    """What the child does now."""

    event: Literal["stage"] = "stage"
    stage: Literal["starting", "loading", "building", "training", "painting", "testing", "predicting", "reporting"]


class Progress(_Event):
    """How far the child is. Sent at most a few times a second."""

    event: Literal["progress"] = "progress"
    step: int
    """Optimizer steps done, over all epochs."""
    steps: int
    """Optimizer steps in all."""
    epoch: int
    """The epoch under way, counted from 1."""
    epochs: int
    images_per_s: float | None = None
    time_left_s: float | None = None
    values: dict[str, float | None] = Field(default_factory=dict)
    """Latest values for people to look at: loss, accuracy, learning rate. None where one is not a finite number."""


class FirstStep(_Event):
    """The first optimizer step of this attempt has finished."""

    event: Literal["first_step"] = "first_step"
    at: datetime


class Log(_Event):
    """A line for the job's log."""

    event: Literal["log"] = "log"
    level: Literal["info", "warning", "error"] = "info"
    text: Annotated[str, Field(max_length=10_000)]


class Artifact(_Event):
    """A finished file to keep."""

    event: Literal["artifact"] = "artifact"
    path: Path
    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    kind: Annotated[str, Field(min_length=1, max_length=50)]
    """`model`, `weights`, `history`, `picture`, `table`, `record`, `events` …"""
    media_type: Annotated[str, Field(min_length=1, max_length=100)]


class Checkpoint(_Event):
    """A finished checkpoint file; training can continue exactly from it."""

    event: Literal["checkpoint"] = "checkpoint"
    path: Path
    step: int


class Facts(_Event):
    """What the run's record should hold: versions, device, seed, dataset hash, durations …"""

    event: Literal["facts"] = "facts"
    facts: dict[str, Any]


class Finished(_Event):
    """The recipe is through; the child exits 0 after this."""

    event: Literal["finished"] = "finished"
    summary: dict[str, float | int | str | None]
    """The few numbers that sum the job up, such as `test/accuracy`."""


class Failed(_Event):
    """The recipe cannot go on; `code` is the code of a `JobError`."""

    event: Literal["failed"] = "failed"
    code: str
    text: Annotated[str, Field(max_length=10_000)]


class Interrupted(_Event):
    """The child was asked to stop, and wrote a checkpoint where it could."""

    event: Literal["interrupted"] = "interrupted"
    step: int


Event = Annotated[
    Metrics | Stage | Progress | FirstStep | Log | Artifact | Checkpoint | Facts | Finished | Failed | Interrupted,
    Field(discriminator="event"),
]

_ADAPTER: TypeAdapter[Event] = TypeAdapter(Event)


def parse_event(line: str | bytes) -> Event:
    """The event in one line.

    Raises:
        ValueError: the line is not an event (pydantic's ValidationError is one).
    """
    return _ADAPTER.validate_json(line)


def format_event(event: BaseModel) -> str:
    """One line of JSON, without the line end, for whatever goes up the pipe: an event, or a predictor's answer."""
    return event.model_dump_json()
