"""What would start a waiting job sooner: each change is tried on the planner, and only what helps is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from ml.estimates import Cost, Room
from ml.kinds import inspect
from records.access import Viewer
from records.errors import RequestError
from records.estimates import Correction
from records.lookup import YardLibrary
from records.needs import corrections_for
from records.placing import Demand
from records.placing.reasons import clock_time, round_up
from records.rules import Rules
from records.settings import Settings
from records.snapshots import take_snapshot
from records.specs import parse_spec
from records.whatif import Free, Start, WhatIf, demand_with

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from records.reading import AnyRow

_MOST_BATCHES = 3
_WORTH_IT = 0.75
"""A change is told that starts the job now, or after at most so much of its wait."""


class Change(NamedTuple):
    """Fields of the spec by dotted path, what it would ask for then, and how to say it."""

    fields: dict[str, Any]
    demand: Demand
    words: str


def find_changes(session: Session, row: AnyRow, settings: Settings, *, at: datetime) -> list[dict[str, Any]]:
    """What would start a job sooner, the soonest first; nothing for one that does not wait.

    Args:
        session: for reading.
        row: of the job, from `records.reading.read_job`.
        settings: of the yard.
        at: now.
    """
    rules = Rules.of(settings)
    what_if = WhatIf(take_snapshot(session, rules, at=at), rules.policy(session), row.id)
    if what_if.job is None:
        return []
    now = what_if.as_it_is()
    found = []
    for change in _candidates(session, row, what_if):
        start = what_if.asking_for(change.demand)
        if start is not None and _is_sooner(start, now):
            found.append((start.start_s, _shown(change, start, at)))
    return [shown for _, shown in sorted(found, key=lambda pair: pair[0])]


def _candidates(session: Session, row: AnyRow, what_if: WhatIf) -> Iterator[Change]:
    asked = what_if.job.demand if what_if.job else Demand()
    if row.spec.get("exclusive"):
        factors = corrections_for(session, row.spec, row.estimate)
        shared = demand_with(row.demand, factors, row.threads)
        yield Change({"exclusive": False}, shared, "If it shared a device")
    if asked.threads != 1 and row.started_at is None and any(free.kind == "cpu" for free in what_if.free()):
        yield Change({"threads": 1}, asked._replace(threads=1), "With one thread")
    yield from _batches(session, row, what_if.free(), asked.threads)


def _batches(session: Session, row: AnyRow, free: list[Free], threads: int | None) -> Iterator[Change]:
    """Smaller batches that fit what is free now."""
    if row.estimate is None or row.started_at is not None or "batch_size" not in row.spec:
        return
    library = YardLibrary(session, Viewer(row.owner_id, sees_all=True))  # what it names was seen when it was accepted
    try:
        spec = parse_spec(row.spec, test_kinds=True)
        cost = inspect(spec, library).cost
    except RequestError:  # from another version, or what it refers to is gone
        return
    if not isinstance(cost, Cost):  # other kinds have no batch
        return
    factors = corrections_for(session, row.spec, row.estimate)
    told = set()
    for batch in _largest(cost, free, factors, below=int(row.spec["batch_size"])):
        for fewer in (batch, _round(batch * 3 // 4), _round(batch // 2)):  # the largest one is an approximation
            fields = _fewer(row.spec, max(1, fewer))
            needs = inspect(spec.model_copy(update=fields), library).needs
            demand = demand_with(needs, factors, threads)
            if fewer and _fits_now(demand, free):
                if fewer not in told:
                    told.add(fewer)
                    yield Change(fields, demand, f"With a batch of {fewer}")
                break


def _fewer(spec: Mapping[str, Any], batch_size: int) -> dict[str, int]:
    """The fields of a smaller batch; a micro-batch is no larger than it."""
    smaller = {"batch_size": batch_size}
    if spec.get("micro_batch"):
        smaller["micro_batch"] = min(spec["micro_batch"], batch_size)
    return smaller


def _fits_now(demand: Demand, free: list[Free]) -> bool:
    asked = [(each.memory_bytes, demand.gpu_bytes if each.kind == "gpu" else demand.cpu_bytes) for each in free]
    return any(needed is not None and needed <= has for has, needed in asked)


def _largest(cost: Cost, free: list[Free], factors: dict[str, Correction], *, below: int) -> list[int]:
    rooms = [Room(each.name, cast(Any, each.kind), each.memory_bytes) for each in free]
    numbers = {kind: found.factor for kind, found in factors.items()}
    fits = {_round(answer["largest_batch"]) for answer in cost.advise(rooms, cast(Any, numbers))}
    return sorted((batch for batch in fits if 0 < batch < below), reverse=True)[:_MOST_BATCHES]


def _round(batch: int) -> int:
    """A multiple of eight, as people write batches, where there is one below."""
    return batch // 8 * 8 if batch >= 8 else batch


def _is_sooner(start: Start, now: Start | None) -> bool:
    return now is None or start.start_s < _WORTH_IT * now.start_s


def _shown(change: Change, start: Start, at: datetime) -> dict[str, Any]:
    where = f" on {start.device}" if start.device else ""
    starts = at + timedelta(seconds=start.start_s)
    when = "now" if start.start_s == 0 else clock_time(round_up(starts, seen_from=at), seen_from=at)
    return {
        "change": change.fields,
        "starts_at": starts.isoformat(),
        "now": start.start_s == 0,
        "text": f"{change.words} it would start {when}{where}.",
    }
