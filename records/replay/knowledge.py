"""What a simulated yard knows of how long a job lasts: what a real one would know, from the jobs that ended before.

Of the same person's jobs with the same memory; else of all that person's; else a stated default. The real yard also
goes by network and dataset (`records.durations`), which a trace does not name.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from statistics import median

from records.placing.snapshot import Span
from records.replay.trace import Entry

DEFAULT = Span(60.0, 900.0, 4 * 3600.0)
"""Of a job of which nothing like it has ended yet."""
_LOOKED_AT = 20


class Knowledge:
    """Grows as jobs end. With `exact`, every duration is known beforehand."""

    def __init__(self, *, exact: bool = False) -> None:
        self._exact = exact
        self._ended: dict[tuple[str, int | None] | str, deque[float]] = defaultdict(lambda: deque(maxlen=_LOOKED_AT))

    def expect(self, entry: Entry) -> Span:
        """How long such a job is expected to last."""
        if self._exact:
            return Span(entry.seconds, entry.seconds, entry.seconds)
        for key in ((entry.user, entry.memory_bytes), entry.user):
            if seen := self._ended.get(key):
                return span_of(seen)
        return DEFAULT

    def note(self, entry: Entry) -> None:
        """A job has ended."""
        self._ended[entry.user, entry.memory_bytes].append(entry.seconds)
        self._ended[entry.user].append(entry.seconds)


def span_of(seconds: Sequence[float]) -> Span:
    """From durations seen before: their median, and a range around what was seen."""
    return Span(0.7 * min(seconds), median(seconds), 1.5 * max(seconds))
