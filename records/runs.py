"""Runs and their metrics. Metrics are upserted on (run, name, step): a resumed attempt overwrites what it repeats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from records.database import upsert
from records.events import MetricPoint
from records.jobs import grow_version
from records.tables import MetricTable, RunTable

_BATCH = 5_000
"""Points a statement. SQLite and PostgreSQL both take the batch through the driver's executemany."""


class Point(NamedTuple):
    """A metric point as it is read back."""

    name: str
    step: int
    value: float | None
    at: datetime


def open_run(session: Session, job_id: int, *, at: datetime) -> int:
    """The id of the job's run, made at its first attempt."""
    run_id = session.scalar(select(RunTable.id).where(RunTable.job_id == job_id))
    if run_id is not None:
        session.execute(update(RunTable).where(RunTable.id == run_id).values(finished_at=None))
        return run_id
    run = RunTable(job_id=job_id, facts={}, summary={}, created_at=at)
    session.add(run)
    session.flush()
    return run.id


def finish_run(session: Session, job_id: int, *, at: datetime) -> None:
    """Note when the run ended."""
    session.execute(update(RunTable).where(RunTable.job_id == job_id).values(finished_at=at))


def note_run(
    session: Session, run_id: int, *, facts: dict[str, Any] | None = None, summary: dict[str, Any] | None = None
) -> None:
    """Add facts, or values of the summary, to a run."""
    run = session.get_one(RunTable, run_id)
    run.facts = {**run.facts, **(facts or {})}
    run.summary = {**run.summary, **(summary or {})}
    grow_version(session, [run.job_id])


def read_facts(session: Session, job_id: int) -> dict[str, Any]:
    """The facts of a job's run; empty before its first attempt."""
    return session.scalar(select(RunTable.facts).where(RunTable.job_id == job_id)) or {}


def read_summary(session: Session, job_id: int) -> dict[str, Any]:
    """The numbers that sum a job's run up; empty before its first attempt."""
    return session.scalar(select(RunTable.summary).where(RunTable.job_id == job_id)) or {}


def write_metrics(session: Session, run_id: int, points: Sequence[MetricPoint]) -> None:
    """Insert points, replacing those that stand at the same (name, step)."""
    latest = {(p.name, p.step): p for p in points}
    rows = [
        {"run_id": run_id, "name": p.name, "step": p.step, "value": _finite(p.value), "at": p.at}
        for p in latest.values()
    ]
    statement = upsert(session, MetricTable)
    statement = statement.on_conflict_do_update(
        index_elements=["run_id", "name", "step"],
        set_={"value": statement.excluded.value, "at": statement.excluded.at},
    )
    for start in range(0, len(rows), _BATCH):
        session.connection().execute(statement, rows[start : start + _BATCH])


def metric_names(session: Session, job_id: int) -> list[str]:
    """The metrics that a job has written."""
    names = select(MetricTable.name).join(RunTable, RunTable.id == MetricTable.run_id).where(RunTable.job_id == job_id)
    return sorted(session.scalars(names.distinct()))


def read_metrics(
    session: Session, job_id: int, names: Sequence[str] = (), *, after: int | None = None, limit: int = 50_000
) -> list[Point]:
    """Points of a job by name and step, those with a step above `after`."""
    return [Point(*row) for row in session.execute(_points(job_id, names, after).limit(limit))]


def read_metrics_thinned(
    session: Session, job_id: int, name: str, *, max_points: int, after: int | None = None
) -> list[Point]:
    """At most `max_points` points of one metric: of each of `max_points / 2` spans of steps the lowest and highest.

    Peaks survive, unlike in every n-th point. All points where there are no more than `max_points`.
    """
    points = _points(job_id, [name], after).order_by(None).subquery()
    bounds = session.execute(select(func.count(), func.min(points.c.step), func.max(points.c.step))).one()
    count, first, last = bounds
    if count <= max_points:
        return read_metrics(session, job_id, [name], after=after, limit=max_points)
    spans = max(max_points // 2, 1)
    span = ((points.c.step - first) * spans) // (last - first + 1)
    ranked = select(
        points,
        _rank(span, points.c.value.asc(), points.c.step).label("lowest"),
        _rank(span, points.c.value.desc(), points.c.step).label("highest"),
    ).subquery()
    kept = select(ranked.c.name, ranked.c.step, ranked.c.value, ranked.c.at)
    kept = kept.where((ranked.c.lowest == 1) | (ranked.c.highest == 1)).order_by(ranked.c.step).limit(max_points)
    return [Point(*row) for row in session.execute(kept)]


def _rank(span: Any, value: Any, step: Any) -> Any:
    # A lost value is no peak: SQLite would count it as the lowest and PostgreSQL as the highest.
    return func.row_number().over(partition_by=span, order_by=[value.nulls_last(), step])


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _points(job_id: int, names: Sequence[str], after: int | None) -> Any:
    query = (
        select(MetricTable.name, MetricTable.step, MetricTable.value, MetricTable.at)
        .join(RunTable, RunTable.id == MetricTable.run_id)
        .where(RunTable.job_id == job_id)
        .order_by(MetricTable.name, MetricTable.step)
    )
    if names:
        query = query.where(MetricTable.name.in_(names))
    return query if after is None else query.where(MetricTable.step > after)
