"""What was found not to fit in this pass: whoever asks for as much, or more, for as long, need not be tried."""

from __future__ import annotations

from records.placing.snapshot import Demand

_MOST = 16
_ALL_THREADS = 1 << 30


class Refusals:
    """Grows with a pass, and is right only within it: there, what is free now only gets less."""

    def __init__(self) -> None:
        self._found: dict[tuple[bool, bool], list[tuple[int, int, int, float]]] = {}
        """By whether a whole CPU and a whole GPU was asked for, as neither compares with a part."""

    def covers(self, demand: Demand, lasts_s: float) -> bool:
        """Whether no room for less than this has been found already."""
        cpu, gpu, threads, lasts = _asked(demand, lasts_s)
        for other in self._found.get(_wholes(demand), ()):
            if other[0] <= cpu and other[1] <= gpu and other[2] <= threads and other[3] <= lasts:
                return True
        return False

    def add(self, demand: Demand, lasts_s: float) -> None:
        """Note that there is no room for this. Only the smallest are kept."""
        new = _asked(demand, lasts_s)
        kept = [
            other
            for other in self._found.get(_wholes(demand), ())
            if not all(mine <= theirs for mine, theirs in zip(new, other, strict=True))
        ]
        self._found[_wholes(demand)] = sorted([*kept, new])[:_MOST]


def _asked(demand: Demand, lasts_s: float) -> tuple[int, int, int, float]:
    threads = _ALL_THREADS if demand.threads is None else demand.threads
    return demand.cpu_bytes or 0, demand.gpu_bytes or 0, threads, lasts_s


def _wholes(demand: Demand) -> tuple[bool, bool]:
    return demand.cpu_bytes is None, demand.gpu_bytes is None
