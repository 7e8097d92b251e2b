"""Numbers and times as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainyard.results import ExpectedStart

_BLOCKS = "▁▂▃▄▅▆▇█"


def span(seconds: float | None) -> str:
    """`0:07`, `12:05`, `3:04:59`; nothing when it is not known."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def between(start: datetime | None, end: datetime | None) -> str:
    """The time from start to end, or until now."""
    return span(((end or datetime.now(UTC)) - start).total_seconds()) if start else ""


def ago(time: datetime | None) -> str:
    """`just now`, `5 min ago`, `3 h ago`, `2 d ago`."""
    if time is None:
        return ""
    seconds = (datetime.now(UTC) - time).total_seconds()
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"


def start(expected: ExpectedStart | None) -> str:
    """`in 12 min (5 min to 40 min)`; nothing when nobody can tell."""
    if expected is None:
        return ""
    now = datetime.now(UTC)
    low, likely, high = (_rough((at - now).total_seconds()) for at in (expected.from_, expected.likely, expected.until))
    return f"in {likely} ({low} to {high})"


def bytes_(count: int) -> str:
    """`512 B`, `1.4 MB`, `3.2 GB`."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def count(number: int | None) -> str:
    """`850`, `61.7k`, `25.6M`, `3.9G`; nothing for nothing."""
    if not number:
        return ""
    size = float(number)
    for unit in ("", "k", "M", "G"):
        if size < 999.95:
            return f"{size:.0f}" if not unit else f"{size:.1f}{unit}"
        size /= 1000
    return f"{size:.1f}T"


def middle_cut(text: str, width: int) -> str:
    """The text, or its beginning and end where it is longer: what tells such names apart stands at both."""
    tail = width // 3
    return text if len(text) <= width else f"{text[: width - tail - 1]}…{text[-tail:]}"


def _rough(seconds: float) -> str:
    """`20 s`, `12 min`, `3.5 h`."""
    if seconds < 60:
        return f"{max(0, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def value(number: object) -> str:
    """A metric's value with as many digits as tell something."""
    if not isinstance(number, float):
        return "?" if number is None else f"{number:,}" if isinstance(number, int) else str(number)
    return f"{number:.4f}" if 0.001 <= abs(number) < 1000 or number == 0 else f"{number:.3g}"


def sparkline(values: Sequence[float], width: int) -> str:
    """A curve in one line of text, the lowest value as `▁`, the highest as `█`."""
    if not values or width < 1:
        return ""
    count = min(width, len(values))
    means = []
    for i in range(count):
        part = values[i * len(values) // count : (i + 1) * len(values) // count]
        means.append(sum(part) / len(part))
    low, high = min(means), max(means)
    scale = (len(_BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(_BLOCKS[round((mean - low) * scale)] for mean in means)
