"""Runs a recipe that trains, stops it where a test wants it stopped, and compares how two trainings ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ml.engine.checkpoint import read_checkpoint
from ml.kinds import load_recipe
from ml.reporter import Interruption, Reporter
from records.events import Checkpoint, Event
from records.orders import Order
from records.specs import parse_spec


class StoppingReporter(Reporter):
    """Collects events, and asks to stop once a number of steps are done and, if so wanted, the epoch is scored."""

    def __init__(self, *, stop_at: int | None = None) -> None:
        self.events: list[Event] = []
        self.stop_at = stop_at
        self.seen = 0
        super().__init__(self.events.append)

    @property
    def should_stop(self) -> bool:
        return self.stop_at is not None and self.seen >= self.stop_at

    def progress(self, **values: Any) -> None:
        self.seen = values["step"]

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def run(order: Order, stop_at: int | None = None) -> tuple[StoppingReporter, dict[str, Any] | None]:
    """Run the recipe; the summary is None where it was interrupted."""
    reporter = StoppingReporter(stop_at=stop_at)
    spec = parse_spec(order.spec)
    try:
        return reporter, load_recipe(spec.kind)(spec, order, reporter)
    except Interruption:
        return reporter, None


def last_checkpoint(reporter: StoppingReporter) -> Path:
    path = reporter.of(Checkpoint)[-1].path
    assert isinstance(path, Path)
    return path


def assert_same_end(one: Path, other: Path) -> None:
    """Every variable of model and optimizer, the best weights and the history are equal to the last bit."""
    arrays, meta = read_checkpoint(one)
    other_arrays, other_meta = read_checkpoint(other)
    assert arrays.keys() == other_arrays.keys()
    assert sum(name.startswith("optimizer/") for name in arrays) > 2
    for name, array in arrays.items():
        assert np.array_equal(array, other_arrays[name]), name
    for name in ("history", "plateau", "stopping", "chosen", "rate_factor", "best_epoch", "step"):
        assert meta["state"][name] == other_meta["state"][name], name
