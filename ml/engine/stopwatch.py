"""How long each stage took, told to the reporter as it changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ml.reporter import Reporter


class Stages:
    """Announces each stage of a recipe and measures it."""

    def __init__(self, reporter: Reporter, clock: Callable[[], float]) -> None:
        self._reporter = reporter
        self._clock = clock
        self._current: tuple[str, float] | None = None
        self._seconds: dict[str, float] = {}

    def begin(self, stage: Any) -> None:
        """End the stage before, if any, and begin this one."""
        self._seconds = self.seconds
        self._current = (stage, self._clock())
        self._reporter.stage(stage)

    @property
    def seconds(self) -> dict[str, float]:
        """Duration of each stage so far, in seconds."""
        if self._current is None:
            return {}
        stage, since = self._current
        return self._seconds | {stage: round(self._seconds.get(stage, 0.0) + self._clock() - since, 3)}
