"""From an expected wait to a promise with a range, by what earlier promises came to.

The range is that in which nineteen of twenty of the last promises came true: actual over expected wait, from the 3rd
to the 98th hundredth, with a minute added to both so that a wait of seconds does not weigh like one of hours. Those
that are late by now and still wait count with what they have waited, or only short waits would teach anything.
"""

from __future__ import annotations

from collections.abc import Sequence

from records.placing.snapshot import Span

LOOKED_AT = 200
"""The newest promises that came out, one way or the other, and count."""
_ENOUGH = 20
_SHIFT_S = 60.0
_LOW, _HIGH = 0.03, 0.98
_UNKNOWN = (0.4, 2.5)
"""Until there are enough promises to go by."""
_DUE = 0.75
"""A job becomes due so far between its likely and its latest start: room for it may still have to be made."""


def promised(wait_s: float, ratios: Sequence[float]) -> Span:
    """The range of a wait that is expected to take so long, in seconds.

    Args:
        wait_s: expected.
        ratios: of the newest promises, from `ratio`.
    """
    low, high = _range_of(ratios) if len(ratios) >= _ENOUGH else _UNKNOWN
    shifted = wait_s + _SHIFT_S
    return Span(max(0.0, min(wait_s, low * shifted - _SHIFT_S)), wait_s, max(wait_s, high * shifted - _SHIFT_S))


def due_after(promise: Span) -> float:
    """When a job with this promise goes before others of its priority, on the clock of the promise."""
    return promise.likely + _DUE * (promise.high - promise.likely)


def ratio(expected_s: float, actual_s: float) -> float:
    """How a promise came out: above 1 when the wait was longer than expected."""
    return (actual_s + _SHIFT_S) / (expected_s + _SHIFT_S)


def _range_of(ratios: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(ratios)
    last = len(ordered) - 1
    return ordered[round(_LOW * last)], ordered[round(_HIGH * last)]
