"""How long does the scheduler think about a long queue?

`records.placing.place` on 10,000 waiting jobs and 200 devices, half of them free: the arithmetic alone, no SQL. Then
one whole pass, `records.schedule.run_pass`, on a SQLite database with 1,000 waiting jobs and no free device, as it
runs each time a job arrives or ends: the first pass writes every job's reason, the later ones find nothing to write.
A user would pick Slurm or a hand-kept list.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bench.databases import SQLITE, run_database
from bench.rows import add_job, add_user, add_worker
from bench.setting import Measured, Setting
from bench.statistics import figure
from records.attempts import place_attempt
from records.database import Database
from records.jobs import lock_job
from records.placing import FreeDevice, Snapshot, WaitingJob, place
from records.schedule import run_pass

JOBS, DEVICES = 10_000, 200
QUEUED = 1_000


def measure(setting: Setting) -> Measured:
    """Milliseconds a pass."""
    measured = Measured()
    snapshot = make_snapshot()
    times = [_time(lambda: place(snapshot)) for _ in range(setting.count(20, 5))]
    measured.figures.append(figure(f"place, {JOBS:,} jobs, {DEVICES} devices", "ms", times))
    with run_database(SQLITE, setting.folder) as url:
        first, later = _time_passes(Database(url), setting.count(20, 5))
    measured.figures += [
        figure(f"first pass over {QUEUED:,} new jobs", "ms", first),
        figure(f"pass that changes nothing, {QUEUED:,} jobs wait", "ms", later),
    ]
    return measured


def make_snapshot() -> Snapshot:
    """Jobs of eleven priorities, one in ten backing off, and devices of which every other is free."""
    at = datetime.now(UTC)
    later = at + timedelta(minutes=1)
    waiting = [WaitingJob(id=n, priority=n % 11 - 5, not_before=later if n % 10 == 0 else None) for n in range(JOBS)]
    devices = [FreeDevice(id=n, kind="gpu", memory_bytes=24 * 10**9, leases=n % 2) for n in range(DEVICES)]
    return Snapshot(at=at, waiting=waiting, devices=devices)


def _time_passes(database: Database, passes: int) -> tuple[list[float], list[float]]:
    at = datetime.now(UTC)
    with database.write() as session:
        owner = add_user(session, at=at)
        _, device = add_worker(session, at=at)
        held = lock_job(session, add_job(session, owner, at=at))
        place_attempt(session, held, device, memory_bytes=1, expires_at=at + timedelta(hours=1), at=at)
        for _ in range(QUEUED):
            add_job(session, owner, at=at)

    def one_pass() -> None:
        with database.write() as session:
            run_pass(session, lease_s=30.0, at=at)

    times = [_time(one_pass) for _ in range(passes + 1)]
    database.close()
    return times[:1], times[1:]


def _time(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000
