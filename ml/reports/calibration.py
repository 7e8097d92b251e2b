"""Does a network know how sure it may be? Calibration as numbers, as JSON and as a reliability diagram.

Guo, Pleiss, Sun, Weinberger: On calibration of modern neural networks (2017). Images are sorted into 15 bins by the
probability of the class that was said; in each, the share that was right is compared with the mean probability. The
expected calibration error is the mean difference, weighed by the images in the bins.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml.reports.figure import BLUE, FAINT, INK, ORANGE, picture

BINS = 15


@dataclass(frozen=True)
class Bin:
    """The images whose probability lies above `low` and not above `high`."""

    low: float
    high: float
    count: int
    confidence: float | None
    """Their mean probability; None of nothing."""
    accuracy: float | None
    """The share of them that was right."""

    @property
    def gap(self) -> float:
        """How far both lie apart."""
        return 0.0 if self.confidence is None or self.accuracy is None else abs(self.confidence - self.accuracy)


@dataclass(frozen=True)
class Calibration:
    """How far probabilities can be believed."""

    bins: tuple[Bin, ...]
    expected_error: float
    """Mean gap over the images."""
    largest_error: float
    """The widest gap of a bin."""
    confidence: float
    """Mean probability of what was said."""
    accuracy: float


def calibration(labels: ArrayLike, probabilities: ArrayLike, bins: int = BINS) -> Calibration:
    """The calibration of what a network said.

    Args:
        labels: `[n]`, the true classes, as indices; at least one.
        probabilities: `[n, classes]`, what the network gave.
        bins: of equal width, from 0 to 1.
    """
    labels, given = np.asarray(labels), np.asarray(probabilities, np.float64)
    confidence, right = given.max(axis=1), given.argmax(axis=1) == labels
    number = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    made = tuple(_bin(index, bins, confidence[number == index], right[number == index]) for index in range(bins))
    return Calibration(
        bins=made,
        expected_error=sum(one.count * one.gap for one in made) / len(labels),
        largest_error=max(one.gap for one in made),
        confidence=float(confidence.mean()),
        accuracy=float(right.mean()),
    )


def write_calibration_json(path: Path, found: Calibration, *, split: str) -> None:
    """Write all numbers, and which split they are of."""
    path.write_text(json.dumps({"split": split, **asdict(found)}, indent=1) + "\n", encoding="utf-8")


def write_calibration_png(path: Path, found: Calibration, *, of: str) -> None:
    """Write the reliability diagram, and below it how many images fall into each bin.

    Args:
        path: where to write.
        found: what to draw.
        of: what was looked at: `153 validation images`.
    """
    with picture(path, width_inches=5.2, height_inches=6.0) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        _draw_reliability(upper, found)
        _draw_counts(lower, found)
        figure.suptitle(
            f"Expected calibration error {found.expected_error:.3f}\n{of}",
            x=0.02,
            ha="left",
            fontsize=12,
            fontweight="bold",
        )


def _bin(index: int, bins: int, confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> Bin:
    some = len(confidence) > 0
    return Bin(
        low=index / bins,
        high=(index + 1) / bins,
        count=len(confidence),
        confidence=float(confidence.mean()) if some else None,
        accuracy=float(right.mean()) if some else None,
    )


def _draw_reliability(axes: Any, found: Calibration) -> None:
    width = 1 / len(found.bins)
    for one in found.bins:
        if one.accuracy is None or one.confidence is None:
            continue
        place = (one.low + one.high) / 2
        axes.bar(place, one.accuracy, width * 0.92, color=BLUE)
        low, high = sorted((one.accuracy, one.confidence))
        axes.bar(place, high - low, width * 0.92, bottom=low, facecolor="none", edgecolor=ORANGE, hatch="////")
    axes.plot([0, 1], [0, 1], color=INK, linewidth=1.0, linestyle=(0, (4, 3)))
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_ylabel("share that was right")
    axes.set_title("Blue: share that was right. Hatched: gap to the probability.", fontsize=9.5, color=FAINT)
    axes.grid(axis="y")


def _draw_counts(axes: Any, found: Calibration) -> None:
    width = 1 / len(found.bins)
    places = [(one.low + one.high) / 2 for one in found.bins]
    axes.bar(places, [one.count for one in found.bins], width * 0.92, color=FAINT)
    axes.axvline(found.accuracy, color=BLUE, linewidth=1.5)
    axes.axvline(found.confidence, color=ORANGE, linewidth=1.5)
    axes.set_ylabel("images")
    axes.set_xlabel("probability of the class that was said")
    axes.set_title("Lines: mean accuracy, mean probability.", fontsize=9.5, color=FAINT)
