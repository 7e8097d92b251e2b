"""All that training has to remember, besides the variables of model and optimizer, to go on exactly from here."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from ml.engine.watching import Watched

Arrays = dict[str, NDArray[Any]]


@dataclass
class TrainingState:
    """Where training stands. Plain data; `ml.engine.training` alone moves it."""

    stage: int = 0
    """The stage of a recipe that has several."""
    epoch: int = 0
    """Epochs finished."""
    position: int = 0
    """Optimizer steps done in the epoch under way; its last one only when validation is still to come."""
    step: int = 0
    """Optimizer steps done, over all epochs."""
    rate_factor: float = 1.0
    """What plateaus have left of the learning rate."""
    plateau: Watched = field(default_factory=Watched)
    stopping: Watched = field(default_factory=Watched)
    chosen: Watched = field(default_factory=Watched)
    """The metric that chooses the best weights."""
    ended_early: bool = False
    best_epoch: int = 0
    """The epoch of the best weights, counted from 1."""
    train_s: float = 0.0
    """Time spent in optimizer steps, over all attempts."""
    history: list[dict[str, float]] = field(default_factory=list)
    """One row an epoch."""
    points: list[tuple[str, int, float, float]] = field(default_factory=list)
    """All metric points so far: name, step, value, seconds since 1970."""
    losses: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    """Loss of each step of the epoch under way, `[position]`."""
    right: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    """Images classified right in each step of the epoch under way, `[position]`."""
    best_weights: list[NDArray[Any]] = field(default_factory=list)
    """`model.weights` after the best epoch; empty before the first."""

    def enter(self, stage: int) -> None:
        """Begin a stage: what was watched in the one before counts no more, but its best weights do."""
        self.stage = stage
        self.rate_factor, self.plateau, self.stopping, self.ended_early = 1.0, Watched(), Watched(), False

    def put_best(self, model: keras.Model) -> None:
        """Give a model the weights of the best epoch."""
        for weight, best in zip(model.weights, self.best_weights, strict=True):
            weight.assign(best)

    def to_parts(self) -> tuple[Arrays, dict[str, Any]]:
        """As arrays and JSON, for a checkpoint."""
        arrays = {"epoch/losses": self.losses, "epoch/right": self.right}
        arrays |= number("best", self.best_weights)
        plain = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in IN_ARRAYS}
        watched = {name: asdict(value) for name, value in plain.items() if isinstance(value, Watched)}
        return arrays, plain | watched

    @classmethod
    def from_parts(cls, arrays: Arrays, plain: dict[str, Any]) -> TrainingState:
        """The state that `to_parts` took apart."""
        watched = {name: Watched(**plain[name]) for name in ("plateau", "stopping", "chosen")}
        points = [tuple(point) for point in plain["points"]]
        return cls(
            **plain | watched | {"points": points},
            losses=arrays["epoch/losses"],
            right=arrays["epoch/right"],
            best_weights=denumber("best", arrays),
        )


IN_ARRAYS = ("losses", "right", "best_weights")


def number(prefix: str, arrays: list[NDArray[Any]]) -> Arrays:
    """A list as named arrays: `prefix/0000`, `prefix/0001` …"""
    return {f"{prefix}/{index:04d}": array for index, array in enumerate(arrays)}


def denumber(prefix: str, arrays: Arrays) -> list[NDArray[Any]]:
    """The list again."""
    count = sum(name.startswith(f"{prefix}/") for name in arrays)
    return [arrays[f"{prefix}/{index:04d}"] for index in range(count)]
