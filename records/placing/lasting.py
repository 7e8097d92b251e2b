"""How much longer something lasts that has lasted for a while."""

from __future__ import annotations

from records.placing.snapshot import Span

_OVERDUE = 0.2
"""Who has lasted longer than was likely is expected to last so much of that time again."""


def left_after(lasts: Span, held_s: float) -> Span:
    """What is left of a span after so many seconds. Nothing is expected to last longer than it may."""
    high = max(0.0, lasts.high - held_s)
    likely = min(max(lasts.likely - held_s, _OVERDUE * held_s), high) if high else _OVERDUE * held_s
    return Span(max(0.0, min(lasts.low - held_s, likely)), likely, max(high, likely))
