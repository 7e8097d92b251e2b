"""What people have used day by day."""

from __future__ import annotations

import pytest

from records.usage_days import daily_use, days_until
from tests.records.test_usage import HOUR, run, worker

__all__ = ["worker"]


def told(yard, days=3, owner_id=None):
    with yard.database.read() as session:
        return daily_use(session, at=yard.clock(), days=days, owner_id=owner_id)


def test_nobody_is_listed_who_has_used_nothing(yard, worker):
    yard.submit()
    assert told(yard) == []


def test_half_a_device_for_two_hours_is_one_device_hour_on_its_day(yard, worker):
    run(yard, worker, 2 * HOUR, needs=4)
    (use,) = told(yard)
    assert use.owner_id == yard.owner_id
    assert use.total_hours == pytest.approx(1.0, rel=0.05)
    assert list(use.hours) == days_until(yard.clock(), 3)


def test_what_runs_now_counts_already(yard, worker):
    yard.submit(needs=8)
    yard.start_again(worker)
    yard.clock.advance(HOUR)
    (use,) = told(yard)
    assert use.total_hours == pytest.approx(1.0, rel=0.05)


def test_older_days_are_left_out(yard, worker):
    run(yard, worker, HOUR, needs=8)
    yard.clock.advance(5 * 24 * HOUR)
    assert told(yard) == []
    assert told(yard, days=10)[0].total_hours == pytest.approx(1.0, rel=0.05)


def test_one_person_can_be_asked_for_alone(yard, worker):
    run(yard, worker, HOUR, needs=4)
    assert told(yard, owner_id=yard.owner_id + 1) == []
    assert len(told(yard, owner_id=yard.owner_id)) == 1
