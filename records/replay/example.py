"""A made-up load like a class's: many small jobs, few large, mostly before a deadline. The same seed, the same load."""

from __future__ import annotations

from random import Random

from records.replay.trace import Entry

_KINDS = (
    # (share of the jobs, memory in MB, median seconds, spread)
    (0.55, 800, 180.0, 0.5),
    (0.25, 2_200, 600.0, 0.5),
    (0.14, 5_500, 1_800.0, 0.6),
    (0.05, 12_000, 5_400.0, 0.6),
    (0.01, 22_000, 10_800.0, 0.5),
)


def class_load(seed: int = 0, *, people: int = 30, jobs: int = 600, hours: float = 10.0) -> list[Entry]:
    """Jobs of a class over some hours; the closer the end, the more come. Some people send many times as many.

    Args:
        seed: everything random follows from it.
        people: so many send jobs.
        jobs: in all.
        hours: until the deadline.
    """
    chance = Random(seed)
    names = [f"student-{number:02}" for number in range(1, people + 1)]
    eagerness = [chance.paretovariate(2.0) for _ in names]
    habits = {name: [chance.lognormvariate(0, 0.3) for _ in _KINDS] for name in names}
    entries = []
    for _ in range(jobs):
        (name,) = chance.choices(names, eagerness)
        (kind,) = chance.choices(range(len(_KINDS)), [share for share, *_ in _KINDS])
        _, megabytes, seconds, spread = _KINDS[kind]
        # People send much the same again: their sizes and times are their own, and vary little from job to job.
        memory = round(megabytes * habits[name][kind] ** 0.3) * 10**6
        lasts = seconds * habits[name][kind] * chance.lognormvariate(0, spread / 2)
        at = hours * 3600 * chance.betavariate(2.5, 1.2)
        entries.append(Entry(round(at, 1), name, min(memory, 23 * 10**9), round(max(5.0, lasts), 1)))
    return sorted(entries)
