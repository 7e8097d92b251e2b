"""A yard with workers: as processes for what must hold end to end, and in this process for what needs a close look."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from sqlalchemy import select

from records.clock import utc_now
from records.database import Database
from records.queue import make_celery, ring_attempts, ring_schedule
from records.schedule import Bell, run_pass
from records.settings import Settings, child_environment, tool_environment
from records.tables import ArtifactTable, AttemptTable, JobEventTable, JobTable, LogLineTable, MetricTable, RunTable
from tests.waiting import eventually as poll_until
from tests.worker.process import WorkerProcess, kill_preloaded
from worker.__main__ import set_up
from worker.children import ChildSource
from worker.devices import find_cpu
from worker.workplace import Workplace

FINISHED = ("succeeded", "failed", "cancelled")


class Yard:
    """What a test asks of the database and the broker."""

    def __init__(self, database: Database, bells: Celery, submit_noop: Callable[..., int]) -> None:
        self.database = database
        self.bells = bells
        self._submit_noop = submit_noop

    def submit(self, **fields: Any) -> int:
        """Queue a noop job, and ring."""
        job_id = self._submit_noop(**fields)
        ring_schedule(self.bells)
        return job_id

    def ring(self, attempt_id: int, queue: str, *, times: int = 1) -> None:
        """Tell a worker of an attempt, again and again."""
        ring_attempts(self.bells, [Bell(queue, attempt_id)] * times)

    def job(self, job_id: int) -> JobTable:
        """The job's row as it is now."""
        with self.database.read() as session:
            return session.get_one(JobTable, job_id)

    def attempts(self, job_id: int) -> list[AttemptTable]:
        """The job's attempts, the first first."""
        return self._rows(select(AttemptTable).where(AttemptTable.job_id == job_id).order_by(AttemptTable.number))

    def events(self, job_id: int) -> list[JobEventTable]:
        """What happened to the job."""
        return self._rows(select(JobEventTable).where(JobEventTable.job_id == job_id).order_by(JobEventTable.id))

    def artifacts(self, job_id: int) -> dict[str, ArtifactTable]:
        """The job's artifacts by name."""
        return {a.name: a for a in self._rows(select(ArtifactTable).where(ArtifactTable.job_id == job_id))}

    def log(self, job_id: int) -> str:
        """The job's log."""
        rows = self._rows(select(LogLineTable).where(LogLineTable.job_id == job_id).order_by(LogLineTable.id))
        return "\n".join(row.text for row in rows)

    def steps(self, job_id: int) -> list[int]:
        """The steps at which the job's metric stands, in order."""
        query = select(MetricTable.step).join(RunTable, RunTable.id == MetricTable.run_id)
        return self._rows(query.where(RunTable.job_id == job_id).order_by(MetricTable.step))

    def run(self, job_id: int) -> RunTable:
        """The job's run."""
        return self._rows(select(RunTable).where(RunTable.job_id == job_id))[0]

    def finished(self, job_id: int, within_s: float = 30.0) -> JobTable:
        """Wait until the job has finished."""
        poll_until(lambda: self.job(job_id).status in FINISHED, within_s=within_s)
        return self.job(job_id)

    def under_way(self, job_id: int, step: int = 3, within_s: float = 30.0) -> AttemptTable:
        """Wait until some attempt of the job runs and has written so many steps."""
        poll_until(
            lambda: (
                len(self.steps(job_id)) >= step
                and self.attempts(job_id)[-1].status == "running"
                and self.attempts(job_id)[-1].pid is not None
            ),
            within_s=within_s,
        )
        return self.attempts(job_id)[-1]

    def _rows(self, query: Any) -> list[Any]:
        with self.database.read() as session:
            return list(session.scalars(query))


@pytest.fixture
def yard(database: Database, settings: Settings, submit_noop: Callable[..., int]) -> Iterator[Yard]:
    """The yard of this test."""
    bells = make_celery(settings)
    yield Yard(database, bells, submit_noop)
    bells.close()


@pytest.fixture
def start_worker(settings: Settings) -> Iterator[Callable[..., WorkerProcess]]:
    """`start_worker(**changed settings)`: a worker process, which is ended with the test."""
    started: list[WorkerProcess] = []

    def start(base: Settings = settings, **more: object) -> WorkerProcess:
        started.append(WorkerProcess(base, **more))
        return started[-1]

    yield start
    for worker in started:
        if worker.process.poll() is None:
            worker.kill()
    for worker in started:
        poll_until(worker.leaves_nothing, within_s=15)


@pytest.fixture
def place(database: Database, settings: Settings) -> Workplace:
    """A registered worker inside this process, with one device; nobody hears its bells."""
    source = ChildSource("spawn", child_environment())
    settings.scratch_folder.mkdir()
    return set_up(settings, database, devices=[find_cpu(1)], source=source, tools=tool_environment())


@pytest.fixture
def place_job(place: Workplace, yard: Yard, submit_noop: Callable[..., int]) -> Callable[..., tuple[int, int]]:
    """`place_job(**spec fields)`: a noop job with an attempt on `place`; the ids of both."""

    def place_one(**fields: Any) -> tuple[int, int]:
        job_id = submit_noop(**fields)
        with place.database.write() as session:
            run_pass(session, lease_s=place.settings.lease_s, at=utc_now())
        return job_id, yard.attempts(job_id)[-1].id

    return place_one


@pytest.fixture
def in_thread() -> Iterator[Callable[..., threading.Thread]]:
    """`in_thread(function, *arguments)`: run it beside the test; it has ended when the test has."""
    threads: list[threading.Thread] = []

    def start(function: Callable[..., object], *arguments: object) -> threading.Thread:
        threads.append(threading.Thread(target=function, args=arguments))
        threads[-1].start()
        return threads[-1]

    yield start
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def preloaded() -> Iterator[ChildSource]:
    """A source whose preloaded process is ended with the module's tests."""
    source = ChildSource("preload", child_environment())
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name not in child_environment():
                patch.delenv(name)
        patch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")
        source.warm_up()
    yield source
    kill_preloaded()


def scratch_is_empty(settings: Settings) -> bool:
    """Whether no attempt has left anything behind."""
    return not any(Path(entry) for entry in os.listdir(settings.scratch_folder))


@pytest.fixture
def is_scratch_empty(settings: Settings) -> Callable[[], bool]:
    """Whether no attempt has left anything behind."""
    return lambda: scratch_is_empty(settings)
