"""The whole life of jobs as a state machine: whatever happens in whichever order, the record stays true."""

from __future__ import annotations

import shutil
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from records.database import Database
from records.errors import Conflict, LeaseLost
from records.retries import Outcome
from records.states import FINISHED, MOVES, OPEN_ATTEMPTS, JobStatus
from records.tables import AttemptTable, JobEventTable, JobTable, LeaseTable, RunTable

OUTCOMES = st.sampled_from(
    [
        Outcome.succeeded(),
        Outcome.failed("child_died", "It died."),
        Outcome.failed("diverged", "NaN."),
        Outcome.cancelled(),
        Outcome.interrupted("The worker stops."),
    ]
)


class LifeOfJobs(RuleBasedStateMachine):
    """People, a scheduler, two workers and a sweep act in any order. `yard` is set by the test."""

    yard = None
    jobs = Bundle("jobs")
    bells = Bundle("bells")
    claims = Bundle("claims")

    def __init__(self):
        super().__init__()
        self.worker = {name: self.yard.register(name, devices=1) for name in ("anna", "bert")}

    # ── what happens ──────────────────────────────────────────────────────────────────────────────────────

    @rule(target=jobs, priority=st.integers(-1, 1), max_retries=st.integers(0, 2))
    def submit(self, priority, max_retries):
        return self.yard.submit(priority=priority, max_retries=max_retries)

    @rule(target=bells)
    def run_pass(self):
        return multiple(*self.yard.run_pass())

    @rule(target=claims, bell=bells, name=st.sampled_from(["anna", "bert"]))
    def claim(self, bell, name):
        """A bell may be heard late, twice, or by the wrong worker."""
        attempt = self.attempt(bell.attempt_id)
        good = attempt.status == "placed" and attempt.worker_id == self.worker[name].id
        try:
            claim = self.yard.claim(bell.attempt_id, self.worker[name])
        except LeaseLost:
            assert not good
            return multiple()
        assert good
        return claim

    @rule(claim=claims)
    def heartbeat(self, claim):
        running = self.attempt(claim.attempt_id).status == "running"
        asked = self.yard.job(claim.job_id).cancel_requested_at is not None
        try:
            assert self.yard.guard(claim).cancel == asked
            assert running
        except LeaseLost:
            assert not running

    @rule(claim=consumes(claims), outcome=OUTCOMES)
    def finish(self, claim, outcome):
        self.end(claim, outcome)

    @rule(claim=claims, outcome=OUTCOMES)
    def finish_and_remember(self, claim, outcome):
        """The same worker may come again with an attempt that it has ended."""
        self.end(claim, outcome)

    @rule(job_id=jobs)
    def cancel(self, job_id):
        before = self.yard.job(job_id).status
        try:
            self.yard.cancel(job_id)
            assert before in ("queued", "running", "cancelled")
        except Conflict:
            assert before in ("succeeded", "failed")

    @rule(job_id=jobs, retries=st.integers(0, 2))
    def retry(self, job_id, retries):
        before = self.yard.job(job_id).status
        try:
            self.yard.retry(job_id, retries)
            assert before in ("failed", "cancelled")
        except Conflict:
            assert before in ("queued", "running", "succeeded")

    @rule(name=st.sampled_from(["anna", "bert"]))
    def restart_worker(self, name):
        gone = self.worker[name]
        self.worker[name] = self.yard.register(name, devices=1)
        orphans = select(AttemptTable).where(AttemptTable.worker_id == gone.id, AttemptTable.status.in_(OPEN_ATTEMPTS))
        assert self.yard.rows(orphans) == []

    @rule()
    def sweep(self):
        lapsed = {lease.attempt_id for lease in self.yard.leases() if lease.expires_at < self.yard.clock()}
        swept = self.yard.sweep(unheard_s=1)
        assert len(swept.expired_jobs) == len(lapsed)
        assert not lapsed & {lease.attempt_id for lease in self.yard.leases()}

    @rule(seconds=st.sampled_from([0.5, 2, 4, 6, 130]))
    def time_passes(self, seconds):
        self.yard.clock.advance(seconds)

    # ── what always holds ─────────────────────────────────────────────────────────────────────────────────

    @invariant()
    def a_job_has_at_most_one_open_attempt_and_a_device_one_lease(self):
        open_ones = [attempt for attempt in self.all(AttemptTable) if attempt.status in OPEN_ATTEMPTS]
        assert max(Counter(attempt.job_id for attempt in open_ones).values(), default=0) <= 1
        leases = self.all(LeaseTable)
        assert max(Counter(lease.device_id for lease in leases).values(), default=0) <= 1
        assert {lease.attempt_id for lease in leases} == {attempt.id for attempt in open_ones}

    @invariant()
    def a_job_runs_exactly_while_an_attempt_of_it_runs(self):
        running = {attempt.job_id for attempt in self.all(AttemptTable) if attempt.status == "running"}
        assert {job.id for job in self.all(JobTable) if job.status == "running"} == running
        queued = {job.id for job in self.all(JobTable) if job.status == "queued"}
        assert {attempt.job_id for attempt in self.all(AttemptTable) if attempt.status == "placed"} <= queued

    @invariant()
    def finished_jobs_have_an_end_and_the_others_have_none(self):
        for job in self.all(JobTable):
            assert (job.finished_at is not None) == (job.status in FINISHED)
            if job.status == "succeeded":
                assert job.progress == 1.0

    @invariant()
    def the_events_replay_to_the_status_along_the_allowed_moves(self):
        status = {}
        for event in sorted(self.all(JobEventTable), key=lambda event: event.id):
            if event.kind == "submitted":
                status[event.job_id] = JobStatus(event.to_status)
            elif event.kind == "moved":
                assert status[event.job_id] == event.from_status
                assert event.to_status in MOVES[status[event.job_id]]
                status[event.job_id] = JobStatus(event.to_status)
        assert status == {job.id: job.status for job in self.all(JobTable)}

    @invariant()
    def retries_are_never_overdrawn_and_attempts_are_counted_without_gaps(self):
        assert all(job.retries_left >= 0 for job in self.all(JobTable))
        numbers = {}
        for attempt in sorted(self.all(AttemptTable), key=lambda attempt: attempt.id):
            numbers.setdefault(attempt.job_id, []).append(attempt.number)
        assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())

    @invariant()
    def ended_attempts_say_when_and_a_job_has_at_most_one_run(self):
        for attempt in self.all(AttemptTable):
            assert (attempt.finished_at is not None) == (attempt.status not in OPEN_ATTEMPTS)
        assert max(Counter(run.job_id for run in self.all(RunTable)).values(), default=0) <= 1

    # ── looks ─────────────────────────────────────────────────────────────────────────────────────────────

    def end(self, claim, outcome):
        running = self.attempt(claim.attempt_id).status == "running"
        try:
            self.yard.finish(claim, outcome)
            assert running
        except LeaseLost:
            assert not running

    def attempt(self, attempt_id):
        (found,) = self.yard.rows(select(AttemptTable).where(AttemptTable.id == attempt_id))
        return found

    def all(self, table):
        return self.yard.rows(select(table))


@pytest.fixture
def fresh_databases(request, tmp_path):
    """Makes a new database of one kind for each run of the machine."""
    opened = []
    copies = []

    def make(kind):
        if kind == "sqlite":
            path = tmp_path / f"{len(opened)}.sqlite"
            shutil.copyfile(request.getfixturevalue("migrated_sqlite"), path)
            url = f"sqlite:///{path}"
        else:
            copy = request.getfixturevalue("postgres_server").copy()
            url = copy.__enter__()
            copies.append(copy)
        opened.append(Database(url))
        return opened[-1]

    yield make
    for database in opened:
        database.close()
    for copy in copies:
        copy.__exit__(None, None, None)


@pytest.mark.parametrize(("kind", "runs", "steps"), [("sqlite", 30, 40), ("postgresql", 8, 30)])
def test_the_record_stays_true_whatever_happens(fresh_databases, make_yard, kind, runs, steps):
    class OnOneDatabase(LifeOfJobs):
        def __init__(self):
            self.yard = make_yard(fresh_databases(kind))
            super().__init__()

    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    run_state_machine_as_test(
        OnOneDatabase,
        settings=settings(max_examples=runs, stateful_step_count=steps, deadline=None, suppress_health_check=checks),
    )
