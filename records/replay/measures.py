"""Figures of a played queue: waits, how full the devices were, how fair it was, and how many promises were kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean, median

from records.placing import Device
from records.replay.simulate import Played


@dataclass(frozen=True)
class Waits:
    """How long jobs waited, in seconds."""

    jobs: int
    mean_s: float
    p95_s: float


@dataclass(frozen=True)
class Figures:
    """What a policy makes of a queue."""

    waits: Waits
    by_user: Mapping[str, Waits]
    makespan_s: float
    """From the first job's coming to the last one's end."""
    utilisation: float | None
    """Part of all memory that jobs needed and had, over the time in which somebody waited; None if nobody ever did."""
    fairness: float | None
    """Jain's index of what people had over what was due to them; None if nobody ever waited."""
    promises: int
    kept: float | None
    """Part of the promised starts that came true within the range."""
    range_s: float | None
    """Median width of a promise's range."""


def measure(played: Sequence[Played], devices: Sequence[Device]) -> Figures:
    """The figures of a played queue."""
    by_user: dict[str, list[float]] = defaultdict(list)
    for job in played:
        by_user[job.entry.user].append(job.wait_s)
    promises = [job for job in played if job.promise is not None]
    utilisation, fairness = _while_somebody_waits(played, sum(device.memory_bytes for device in devices))
    return Figures(
        waits=_waits([job.wait_s for job in played]),
        by_user={user: _waits(waits) for user, waits in sorted(by_user.items())},
        makespan_s=max((job.end_s for job in played), default=0.0),
        utilisation=utilisation,
        fairness=fairness,
        promises=len(promises),
        kept=mean(map(is_kept, promises)) if promises else None,
        range_s=median(job.promise.high - job.promise.low for job in promises if job.promise) if promises else None,
    )


def is_kept(job: Played) -> bool:
    """Whether the job started when it was promised to; to the second, as people are told no finer times."""
    return job.promise is not None and job.promise.low - 1 <= job.start_s <= job.promise.high + 1


def jain(values: Iterable[float]) -> float:
    """Jain's index of fairness (Jain, Chiu and Hawe 1984): 1 when all are equal, 1/n when one has everything."""
    found = list(values)
    squares = sum(value * value for value in found)
    return sum(found) ** 2 / (len(found) * squares) if squares else 1.0


def fair_shares(wanted: Mapping[str, float], capacity: float) -> dict[str, float]:
    """What is due to each: equal parts, but to nobody more than they want (max-min fairness)."""
    due, left = {}, capacity
    for remaining, (user, want) in zip(
        range(len(wanted), 0, -1), sorted(wanted.items(), key=lambda item: (item[1], item[0])), strict=True
    ):
        due[user] = min(want, left / remaining)
        left -= due[user]
    return due


def _waits(waits: Sequence[float]) -> Waits:
    if not waits:
        return Waits(0, 0.0, 0.0)
    ordered = sorted(waits)
    return Waits(len(ordered), mean(ordered), ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))])


def _while_somebody_waits(played: Sequence[Played], capacity: int) -> tuple[float | None, float | None]:
    """Walk over the moments at which something changes. A job needs its own memory, however much was lent to it."""
    changes: list[tuple[float, str, float, float]] = []
    for job in played:
        need = float(min(job.entry.memory_bytes or job.memory_bytes, job.memory_bytes))
        changes += [
            (job.entry.submit_s, job.entry.user, 0.0, need),
            (job.start_s, job.entry.user, need, -need),
            (job.end_s, job.entry.user, -need, 0.0),
        ]
    changes.sort(key=lambda change: change[0])
    has: dict[str, float] = defaultdict(float)
    waits: dict[str, float] = defaultdict(float)
    had: dict[str, float] = defaultdict(float)
    due: dict[str, float] = defaultdict(float)
    in_use = waited_s = 0.0
    for (at, user, more, waiting), (until, *_) in pairwise([*changes, (0.0, "", 0.0, 0.0)]):
        has[user] += more
        waits[user] += waiting
        length = until - at
        if length <= 0 or sum(waits.values()) < 1:
            continue
        waited_s += length
        in_use += sum(has.values()) * length
        wanted = {name: has[name] + waits[name] for name in has if has[name] + waits[name] >= 1}
        for name, share in fair_shares(wanted, capacity).items():
            had[name] += has[name] * length
            due[name] += share * length
    if not waited_s:
        return None, None
    return in_use / (capacity * waited_s), jain(had[name] / due[name] for name in due)
