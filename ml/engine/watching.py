"""Has a metric improved, and how long has it not? Early stopping, plateaus and the best weights ask this."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Watched:
    """What is known of one metric after some epochs."""

    best: float | None = None
    """None before the first epoch."""
    waited: int = 0
    """Epochs since the best one."""

    def after(self, value: float, *, metric: str, min_delta: float) -> Watched:
        """After one more epoch. Accuracies improve upwards, losses downwards, by more than `min_delta`."""
        gain = 0.0 if self.best is None else value - self.best
        if metric.endswith("loss"):
            gain = -gain
        if self.best is None or gain > min_delta:
            return Watched(best=value)
        return Watched(best=self.best, waited=self.waited + 1)
