"""A yard without processes: the acts of people, the scheduler, workers and the sweep, each in its own transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from records import attempts, jobs, schedule, sweep, workers
from records.accounts import create_user
from records.database import Database
from records.retries import Outcome
from records.rules import Rules
from records.specs import parse_spec
from records.states import AttemptStatus, JobStatus
from records.tables import AttemptTable, JobEventTable, JobTable, LeaseTable, WorkerTable
from records.workers import FoundDevice

LEASE_S = 5.0


class Yard:
    """One database and one clock; every method is one transaction."""

    def __init__(self, database: Database, clock: Any) -> None:
        self.database = database
        self.clock = clock
        with database.write() as session:
            self.owner_id = create_user(session, "grace", "member", at=clock()).id

    # ── acts ──────────────────────────────────────────────────────────────────────────────────────────────

    def submit(self, *, needs: float | None = None, owner_id: int | None = None, **fields: Any) -> int:
        """Queue a noop job that needs so many gigabytes of whichever device, or a whole one."""
        spec = parse_spec({"kind": "noop", **fields}, test_kinds=True)
        parts = {"runtime_bytes": 10**8, "peak_bytes": int((needs or 0) * 10**9) - 10**8}
        demand = None if needs is None else {"cpu": parts, "gpu": parts}
        with self.database.write() as session:
            args = {"owner_id": owner_id or self.owner_id, "actor": "user:grace", "parameters": 0, "at": self.clock()}
            threads = None if needs is None else spec.threads or 1
            return jobs.submit(session, spec, demand=demand, threads=threads, **args).id

    def add_person(self, name: str) -> int:
        """Somebody else, by number."""
        with self.database.write() as session:
            return create_user(session, name, "member", at=self.clock()).id

    def register(self, name: str = "anna", devices: int = 1, **changes: Any) -> WorkerTable:
        """A new life of a worker with so many devices."""
        plain = {"kind": "gpu", "model": "Test", "memory_bytes": 8 * 10**9, "threads": 1, "slots": 8} | changes
        found = [FoundDevice(name=f"{plain['kind']}:{i}", number=i, **plain) for i in range(devices)]
        with self.database.write() as session:
            return workers.register(session, name, host="h", pid=1, version="0", devices=found, at=self.clock())

    def run_pass(self, rules: Rules | None = None) -> list[schedule.Bell]:
        """One pass of the scheduler."""
        with self.database.write() as session:
            return schedule.run_pass(session, rules, lease_s=LEASE_S, at=self.clock())

    def claim(self, attempt_id: int, worker: WorkerTable) -> attempts.Claim:
        """A worker takes an attempt up."""
        with self.database.write() as session:
            return attempts.claim(session, attempt_id, worker, lease_s=LEASE_S, at=self.clock())

    def guard(self, claim: attempts.Claim, write: Callable[[Any], object] | None = None) -> attempts.Directive:
        """A worker's flush: guard, then whatever it writes."""
        with self.database.write() as session:
            directive = attempts.guard(session, claim.attempt_id, claim.job_id, lease_s=LEASE_S, at=self.clock())
            if write is not None:
                write(session)
            return directive

    def finish(self, claim: attempts.Claim, outcome: Outcome) -> JobStatus:
        """A worker ends its attempt."""
        with self.database.write() as session:
            args = {"actor": "worker:anna", "at": self.clock()}
            return attempts.finish(session, claim.attempt_id, claim.job_id, outcome, **args)

    def cancel(self, job_id: int) -> None:
        """A person cancels."""
        with self.database.write() as session:
            jobs.cancel(session, job_id, actor="user:grace", at=self.clock())

    def retry(self, job_id: int, retries: int = 2) -> None:
        """A person tries again."""
        with self.database.write() as session:
            jobs.retry(session, job_id, actor="user:grace", retries=retries, at=self.clock())

    def sweep(self, silent_s: float = 1e9, unheard_s: float = 1e9) -> sweep.Swept:
        """One sweep; by default it only looks for lapsed leases."""
        with self.database.write() as session:
            return sweep.sweep(session, silent_s=silent_s, unheard_s=unheard_s, at=self.clock())

    # ── whole stretches ───────────────────────────────────────────────────────────────────────────────────

    def place(self, worker: WorkerTable | None = None, **fields: Any) -> tuple[int, int, WorkerTable]:
        """A job whose attempt is placed and not claimed: job id, attempt id, worker."""
        worker = worker or self.register()
        job_id = self.submit(**fields)
        (bell,) = self.run_pass()
        return job_id, bell.attempt_id, worker

    def start(self, worker: WorkerTable | None = None, **fields: Any) -> attempts.Claim:
        """A running job, claimed by its worker."""
        _, attempt_id, worker = self.place(worker, **fields)
        return self.claim(attempt_id, worker)

    def start_again(self, worker: WorkerTable) -> attempts.Claim:
        """Place and claim the one job that waits."""
        (bell,) = self.run_pass()
        return self.claim(bell.attempt_id, worker)

    # ── looks ─────────────────────────────────────────────────────────────────────────────────────────────

    def job(self, job_id: int) -> JobTable:
        """The job's row as it stands."""
        with self.database.read() as session:
            return session.get_one(JobTable, job_id)

    def attempts(self, job_id: int) -> list[AttemptTable]:
        """The job's attempts in order."""
        return self.rows(select(AttemptTable).where(AttemptTable.job_id == job_id).order_by(AttemptTable.number))

    def attempt_statuses(self, job_id: int) -> list[str]:
        """How the job's attempts stand, in order."""
        return [attempt.status for attempt in self.attempts(job_id)]

    def events(self, job_id: int, kind: str | None = None) -> list[JobEventTable]:
        """What happened to the job."""
        found = self.rows(select(JobEventTable).where(JobEventTable.job_id == job_id).order_by(JobEventTable.id))
        return [event for event in found if kind in (None, event.kind)]

    def leases(self) -> list[LeaseTable]:
        """All leases."""
        return self.rows(select(LeaseTable).order_by(LeaseTable.attempt_id))

    def rows(self, query: Any) -> list[Any]:
        """What a query finds."""
        with self.database.read() as session:
            return list(session.scalars(query))

    def force(self, job_id: int, status: JobStatus) -> None:
        """Set a status past all rules, to test one move alone."""
        with self.database.write() as session:
            session.get_one(JobTable, job_id).status = status

    def lapse(self) -> None:
        """Let every lease run out."""
        self.clock.advance(LEASE_S + 1)

    def settled(self, job_id: int) -> None:
        """Assert what holds for every finished job."""
        job = self.job(job_id)
        assert job.finished_at is not None
        assert not {AttemptStatus.PLACED, AttemptStatus.RUNNING} & set(self.attempt_statuses(job_id))
        mine = {attempt.id for attempt in self.attempts(job_id)}
        assert not mine & {lease.attempt_id for lease in self.leases()}


@pytest.fixture
def yard(database: Database, clock: Any) -> Yard:
    """A yard on this test's database."""
    return Yard(database, clock)


@pytest.fixture
def make_yard(clock: Any) -> Callable[[Database], Yard]:
    """A yard on another database."""
    return lambda database: Yard(database, clock)


@pytest.fixture
def race() -> Callable[..., list[Any]]:
    """`race(f, g, …)`: call all at the same moment, each in a thread; their results or errors, in order."""

    def run(*acts: Callable[[], object]) -> list[Any]:
        results: list[Any] = [None] * len(acts)
        barrier = threading.Barrier(len(acts))

        def one(index: int, act: Callable[[], object]) -> None:
            barrier.wait(timeout=30)
            try:
                results[index] = act()
            except Exception as error:
                results[index] = error

        threads = [threading.Thread(target=one, args=(i, act)) for i, act in enumerate(acts)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
            assert not thread.is_alive(), "a racer hangs"
        return results

    return run


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request, tmp_path):
    """The address of a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite'}"
    else:
        server = request.getfixturevalue("postgres_server")
        yield server.make_empty("empty")
        server.drop("empty")


@pytest.fixture
def empty(empty_url):
    """A database without any table."""
    database = Database(empty_url)
    yield database
    database.close()
