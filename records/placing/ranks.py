"""Where each job stands in the queue as a number in its row, so that the database can count who goes first.

When the head of the queue starts or somebody is put in between, the others keep their numbers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

LAST_RANK = 1e15
"""Of a job that no pass has seen yet: behind all others of its priority."""
_LEAST_GAP = 1e-6


def new_ranks(order: Sequence[int], ranks: Mapping[int, float]) -> dict[int, float]:
    """The numbers that must change so that they grow along the order; as few as can be.

    Args:
        order: jobs of one priority by id, the next first.
        ranks: their present numbers.
    """
    kept = _longest_growing([ranks.get(job_id, LAST_RANK) for job_id in order])
    changed: dict[int, float] = {}
    for before, after in zip([-1, *kept], [*kept, len(order)], strict=True):
        low = ranks[order[before]] if before >= 0 else None
        high = ranks[order[after]] if after < len(order) else None
        between = order[before + 1 : after]
        if low is not None and high is not None and (high - low) / (len(between) + 1) < _LEAST_GAP:
            return {job_id: float(place) for place, job_id in enumerate(order)}
        changed |= dict(zip(between, _numbers(len(between), low, high), strict=True))
    return changed


def _numbers(count: int, low: float | None, high: float | None) -> list[float]:
    """So many growing numbers between two others, as far as there are any."""
    if low is None:
        return [float(n) if high is None else high - count + n for n in range(count)]
    step = 1.0 if high is None else (high - low) / (count + 1)
    return [low + step * (n + 1) for n in range(count)]


def _longest_growing(values: Sequence[float]) -> list[int]:
    """The positions of a longest strictly growing part, those at `LAST_RANK` left out."""
    ends: list[float] = []
    at: list[int] = []
    before: list[int] = [-1] * len(values)
    for position, value in enumerate(values):
        if value >= LAST_RANK:
            continue
        length = bisect_left(ends, value)
        before[position] = at[length - 1] if length else -1
        ends[length : length + 1] = [value]
        at[length : length + 1] = [position]
    found = []
    position = at[-1] if at else -1
    while position >= 0:
        found.append(position)
        position = before[position]
    return found[::-1]
