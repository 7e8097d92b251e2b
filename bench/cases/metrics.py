"""How many metric points a second reach SQL?

The recorder's own path, one transaction a batch: `records.attempts.guard` (lock the job, check that the attempt is
still open, extend its lease), then `records.runs.write_metrics`, then commit. New points of ten metrics each time, so
nothing is replaced. SQLite commits without waiting for the disk (WAL, `synchronous=NORMAL`), PostgreSQL waits, as
both are shipped.
A user would pick MLflow's tracking server: 1,600 points a second in batches of 100 and 7,500 in batches of 1,000,
through its HTTP API on a machine of this kind. Ours is the way from the worker to SQL, which has no HTTP in it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import count

from bench.databases import KINDS, run_database
from bench.results import Aim
from bench.rows import add_job, add_user, add_worker
from bench.setting import CannotMeasure, Measured, Setting
from bench.statistics import figure
from records.attempts import claim, guard
from records.database import Database
from records.events import MetricPoint
from records.runs import write_metrics
from records.schedule import run_pass

BATCHES = {100: 1_600, 1_000: 7_500}
"""Points a batch, and how many points a second MLflow took in such batches."""
NAMES = 10
LEASE_S = 60.0


def measure(setting: Setting) -> Measured:
    """Points a second, on each database, in each size of batch."""
    measured = Measured()
    for kind in KINDS:
        try:
            with run_database(kind, setting.folder) as url:
                _measure_database(kind, Database(url), setting, measured)
        except CannotMeasure as error:
            measured.notes.append(str(error))
    return measured


def _measure_database(kind: str, database: Database, setting: Setting, measured: Measured) -> None:
    in_all = setting.count(20_000, 3_000)
    for (points, mlflow), timed in zip(BATCHES.items(), time_batches(database, tuple(BATCHES), in_all), strict=True):
        rates = [timed() for _ in range(setting.count(7, 3))]
        aim = Aim(relation="at least", value=10 * mlflow)
        measured.figures.append(figure(f"{kind}, batches of {points:,}", "points/s", rates, aim))
    database.close()


def time_batches(database: Database, sizes: Sequence[int], in_all: int) -> list[Callable[[], float]]:
    """For each size of batch, a function that writes `in_all` new points and returns points a second."""
    write, steps = _begin_attempt(database), count()

    def timed(points: int) -> float:
        return _rate(write, [_make_points(points, next(steps) * points) for _ in range(in_all // points)])

    return [partial(timed, points) for points in sizes]


def _begin_attempt(database: Database) -> Callable[[list[MetricPoint]], None]:
    """Claim one attempt; the result writes a batch of its points."""
    at = datetime.now(UTC)
    with database.write() as session:
        worker, _ = add_worker(session, at=at)
        add_job(session, add_user(session, at=at), at=at)
        (bell,) = run_pass(session, lease_s=LEASE_S, at=at)
        held = claim(session, bell.attempt_id, worker, lease_s=LEASE_S, at=at)

    def write(batch: list[MetricPoint]) -> None:
        with database.write() as session:
            guard(session, held.attempt_id, held.job_id, lease_s=LEASE_S, at=datetime.now(UTC))
            write_metrics(session, held.run_id, batch)

    return write


def _rate(write: Callable[[list[MetricPoint]], None], batches: list[list[MetricPoint]]) -> float:
    started = time.perf_counter()
    for batch in batches:
        write(batch)
    return sum(map(len, batches)) / (time.perf_counter() - started)


def _make_points(points: int, first_step: int) -> list[MetricPoint]:
    at = datetime.now(UTC)
    return [
        MetricPoint(name=f"bench/{n % NAMES}", step=first_step + n // NAMES, value=n * 0.25, at=at)
        for n in range(points)
    ]
