"""What people have used, from the attempts on record alone."""

from __future__ import annotations

import pytest

from records.retries import Outcome
from records.rules import Rules
from records.usage import decayed_use, sum_use, week_hours

GB = 10**9
HOUR = 3600


@pytest.fixture
def worker(yard):
    """A CPU with 8 GB and four threads."""
    return yard.register(kind="cpu", memory_bytes=8 * GB, threads=4, slots=4)


def run(yard, worker, seconds, **fields):
    """A job that holds its part for so long."""
    job_id = yard.submit(**fields)
    claim = yard.start_again(worker)
    assert claim.job_id == job_id
    yard.clock.advance(seconds)
    yard.guard(claim)
    yard.finish(claim, Outcome.succeeded())


def used(yard, half_life_s=6 * HOUR):
    with yard.database.read() as session:
        return decayed_use(session, half_life_s=half_life_s, at=yard.clock())


def test_nobody_has_used_anything_of_a_new_yard(yard):
    assert used(yard) == {}


def test_use_is_the_part_that_was_held_times_how_long(yard, worker):
    run(yard, worker, 100, needs=2)
    assert used(yard)[yard.owner_id] == pytest.approx(2 * GB * 100, rel=0.05)


def test_threads_count_where_they_are_the_larger_part(yard, worker):
    run(yard, worker, 100, needs=1, threads=3)
    assert used(yard)[yard.owner_id] == pytest.approx(0.75 * 8 * GB * 100, rel=0.05)


def test_what_was_used_a_half_life_ago_counts_half_and_in_the_end_nothing(yard, worker):
    run(yard, worker, 100, needs=4)
    full = used(yard)[yard.owner_id]
    yard.clock.advance(6 * HOUR)
    assert used(yard)[yard.owner_id] == pytest.approx(full / 2, rel=0.1)
    yard.clock.advance(60 * HOUR)
    assert used(yard) == {}


def test_each_person_has_an_account_of_their_own(yard, worker):
    other = yard.add_person("linus")
    run(yard, worker, 100, needs=4)
    run(yard, worker, 300, needs=4, owner_id=other)
    found = used(yard)
    assert found[other] == pytest.approx(3 * found[yard.owner_id], rel=0.05)


def test_sums_come_by_stretch_of_time_and_person(yard, worker):
    start = yard.clock()
    run(yard, worker, HOUR, needs=8)
    yard.clock.advance(2 * HOUR)
    run(yard, worker, HOUR, needs=4)
    with yard.database.read() as session:
        found = sorted(sum_use(session, since=start, step_s=HOUR), key=lambda use: use.step)
        assert sum_use(session, since=start, step_s=HOUR, owner_id=yard.owner_id + 1) == []
    assert [use.device_s for use in found] == [pytest.approx(HOUR, abs=2), pytest.approx(HOUR / 2, abs=2)]
    assert found[1].step - found[0].step == 3


def test_the_hours_of_a_week_count_what_runs_now(yard, worker):
    run(yard, worker, HOUR, needs=8)
    yard.submit(needs=4)
    yard.start_again(worker)
    yard.clock.advance(HOUR)
    with yard.database.read() as session:
        assert week_hours(session, at=yard.clock())[yard.owner_id] == pytest.approx(1.5, abs=0.01)


def test_who_has_used_less_goes_first(yard, worker):
    other = yard.add_person("linus")
    run(yard, worker, 1000, needs=8)
    mine, theirs = yard.submit(needs=8), yard.submit(needs=8, owner_id=other)
    assert yard.start_again(worker).job_id == theirs
    assert yard.attempt_statuses(mine) == []


def test_a_larger_share_outweighs_what_was_used(yard, worker):
    other = yard.add_person("linus")
    run(yard, worker, 300, needs=8)
    run(yard, worker, 100, needs=8, owner_id=other)
    mine = yard.submit(needs=8)
    yard.submit(needs=8, owner_id=other)
    (bell,) = yard.run_pass(Rules(shares={"grace": 10.0, "nobody": 3.0}))
    assert yard.claim(bell.attempt_id, worker).job_id == mine


# ── quotas ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_member_who_has_had_the_hours_of_the_week_waits_until_they_are_a_week_ago(yard, worker):
    run(yard, worker, HOUR, needs=8)
    job_id = yard.submit(needs=1)
    rules = Rules(most_week_hours=1.0)
    assert yard.run_pass(rules) == []
    assert yard.job(job_id).reason_code == "quota_hours"
    assert "1 device hours" in yard.job(job_id).reason_text
    yard.clock.advance(7 * 24 * HOUR)
    assert len(yard.run_pass(rules)) == 1


def test_no_more_of_a_persons_jobs_run_than_may(yard, worker):
    other = yard.add_person("linus")
    ids = [yard.submit(needs=1) for _ in range(3)]
    theirs = yard.submit(needs=1, owner_id=other)
    assert len(yard.run_pass(Rules(most_running=2))) == 3
    assert yard.attempt_statuses(theirs) == ["placed"]
    assert yard.job(ids[2]).reason_code == "quota_running"
