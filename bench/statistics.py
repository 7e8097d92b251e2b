"""From measured values to figures. Medians and whole ranges, because a shared machine makes means lie."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import median
from typing import TypeVar

from bench.results import Aim, Figure

T = TypeVar("T")
_DIGITS = 4
"""Significant digits that are kept; the rest is noise and would only fill diffs."""


def figure(name: str, unit: str, values: Sequence[float], aim: Aim | None = None) -> Figure:
    """The median and range of at least one value."""
    if not values:
        raise ValueError(f"{name}: expected at least one value, got none.")
    return Figure(
        name=name,
        unit=unit,
        median=_rounded(median(values)),
        min=_rounded(min(values)),
        max=_rounded(max(values)),
        count=len(values),
        aim=aim,
    )


def ratio(name: str, over: Sequence[float], under: Sequence[float], aim: Aim | None = None) -> Figure:
    """The ratios of neighbours in alternating runs: what slows the machine down slows both, and cancels."""
    return figure(name, "×", [a / b for a, b in zip(over, under, strict=True)], aim)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least so many percent of the values do not exceed (nearest rank)."""
    return sorted(values)[max(math.ceil(len(values) * percent / 100), 1) - 1]


def alternate(rounds: int, *measured: Callable[[], T]) -> tuple[list[T], ...]:
    """Run A B A B … and return the values of each in order."""
    columns: tuple[list[T], ...] = tuple([] for _ in measured)
    for _ in range(rounds):
        for column, measure in zip(columns, measured, strict=True):
            column.append(measure())
    return columns


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
