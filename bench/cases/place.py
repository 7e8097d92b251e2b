"""How long does the scheduler think about a long queue?

`records.placing.place` on waiting jobs of 100 people with 2,000 different needs, 200 devices and 500 leases: the
arithmetic alone, no SQL, for queues of several lengths. Then one whole pass, `records.schedule.run_pass`, on a SQLite
database with 1,000 waiting jobs and no free device, as it runs each time a job arrives or ends: the first pass writes
every job's reason, the later ones find nothing to write.
A user would pick Slurm or a hand-kept list.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

from bench.databases import SQLITE, run_database
from bench.rows import add_job, add_user, add_worker
from bench.setting import Measured, Setting
from bench.statistics import figure
from records.attempts import place_attempt
from records.database import Database
from records.jobs import lock_job
from records.placing import Demand, Device, Lease, Snapshot, Span, WaitingJob, place
from records.schedule import run_pass

LENGTHS, DEVICES, LEASES, PEOPLE, NEEDS = (1_000, 10_000, 30_000), 200, 500, 100, 2_000
QUEUED = 1_000


def measure(setting: Setting) -> Measured:
    """Milliseconds a pass."""
    measured = Measured()
    for length in LENGTHS:
        snapshot = make_snapshot(length)
        times = [_time(partial(place, snapshot)) for _ in range(setting.count(20, 5))]
        measured.figures.append(figure(f"place, {length:,} jobs, {DEVICES} devices, {LEASES} leases", "ms", times))
    with run_database(SQLITE, setting.folder) as url:
        first, later = _time_passes(Database(url), setting.count(20, 5))
    measured.figures += [
        figure(f"first pass over {QUEUED:,} new jobs", "ms", first),
        figure(f"pass that changes nothing, {QUEUED:,} jobs wait", "ms", later),
    ]
    return measured


def make_snapshot(length: int) -> Snapshot:
    """A queue of so many jobs, one in ten backing off, before devices that are lent nearly to the brim."""
    chance, at = Random(0), datetime.now(UTC)
    later = at + timedelta(minutes=1)
    needs = [Demand(need, need, 1) for need in (chance.randrange(10**8, 20 * 10**9) for _ in range(NEEDS))]
    waiting = [
        WaitingJob(
            id=n,
            owner_id=chance.randrange(PEOPLE),
            priority=chance.choice((-1, 0, 0, 0, 1)),
            demand=chance.choice(needs),
            lasts=Span(60.0, chance.uniform(100.0, 5_000.0), 10_000.0),
            not_before=later if n % 10 == 0 else None,
        )
        for n in range(length)
    ]
    leases: list[list[Lease]] = [[] for _ in range(DEVICES)]
    for n in range(LEASES):
        left = Span(1.0, chance.uniform(10.0, 5_000.0), 10_000.0)
        leases[n % DEVICES].append(
            Lease(10**6 + n, chance.randrange(PEOPLE), 0, chance.randrange(6, 8) * 10**9, 1, 60.0, left)
        )
    devices = [
        Device(n, f"gpu:{n}", "gpu", 24 * 10**9, threads=8, slots=8, leases=held) for n, held in enumerate(leases)
    ]
    return Snapshot(at=at, waiting=waiting, devices=devices)


def _time_passes(database: Database, passes: int) -> tuple[list[float], list[float]]:
    at = datetime.now(UTC)
    with database.write() as session:
        owner = add_user(session, at=at)
        _, device = add_worker(session, at=at)
        held = lock_job(session, add_job(session, owner, at=at))
        place_attempt(session, held, device, memory_bytes=1, threads=1, expires_at=at + timedelta(hours=1), at=at)
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
