"""What a benchmark is given, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bench.results import Figure


@dataclass(frozen=True)
class Setting:
    """How thoroughly to measure, and where to put files."""

    quick: bool
    folder: Path
    """Empty; deleted when the benchmark has ended."""
    mlflow: Path | None = None
    """A Python interpreter that has MLflow, to measure beside ours."""
    simplejpeg: Path | None = None
    """A Python interpreter that has simplejpeg, to decode with beside ours."""
    weights: Path | None = None
    """The file with EfficientNet-Lite0's weights, for the benchmark that runs without a yard."""

    def count(self, full: int, quick: int) -> int:
        """How often to do something: `full` for figures to keep, `quick` to see that it works."""
        return quick if self.quick else full


@dataclass
class Measured:
    """The figures of one benchmark, and what must be said about them."""

    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class CannotMeasure(Exception):
    """Raised when something that the benchmark needs is not on this machine; the text says what."""
