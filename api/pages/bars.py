"""A device's memory as a bar: a part for each job, one for programs outside the yard, the rest free."""

from __future__ import annotations

from typing import Any, NamedTuple

from records.reading import DeviceRow

WIDTH = 1000


class Part(NamedTuple):
    """A piece of the bar, from the left, in thousandths."""

    kind: str
    """`lent` or `taken`."""
    start: float
    width: float


class DrawnDevice:
    """A device as the page shows it: the row's own fields, and `parts`."""

    def __init__(self, row: DeviceRow) -> None:
        self._row = row

    def __getattr__(self, name: str) -> Any:
        return getattr(self._row, name)

    @property
    def parts(self) -> list[Part]:
        """The pieces of the bar, the jobs in the order in which they came. Never wider than the bar."""
        device = self._row.device
        sizes = [("lent", lease.memory_bytes) for lease in self._row.leases]
        sizes += [("taken", device.taken_bytes)] if device.taken_bytes else []
        parts, start = [], 0.0
        for kind, size in sizes:
            width = min(WIDTH - start, WIDTH * size / max(1, device.memory_bytes))
            parts.append(Part(kind, round(start, 2), round(width, 2)))
            start += width
        return parts
