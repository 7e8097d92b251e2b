"""Figures of a played queue, worked out by hand."""

from __future__ import annotations

import pytest

from records.placing import FIRST_COME, SHARED, Device
from records.replay import Entry, compare, measure, play
from records.replay.measures import fair_shares, jain

GB = 10**9
ONE = [Device(1, "gpu:1", "gpu", 10 * GB, 1, slots=8)]
LOAD = [Entry(0.0, "ada", 4 * GB, 100.0), Entry(0.0, "ada", 4 * GB, 100.0), Entry(10.0, "bob", 4 * GB, 50.0)]


def test_jains_index_is_one_for_equals_and_one_in_n_for_who_has_everything():
    assert jain([3.0, 3.0, 3.0]) == pytest.approx(1.0)
    assert jain([5.0, 0.0, 0.0, 0.0]) == pytest.approx(0.25)
    assert jain([1.0, 2.0]) == pytest.approx(9 / 10)


def test_what_is_due_is_equal_parts_but_to_nobody_more_than_they_want():
    assert fair_shares({"a": 10.0, "b": 10.0}, 10.0) == {"a": 5.0, "b": 5.0}
    assert fair_shares({"a": 2.0, "b": 20.0, "c": 20.0}, 10.0) == {"a": 2.0, "b": 4.0, "c": 4.0}
    assert fair_shares({"a": 1.0, "b": 2.0}, 10.0) == {"a": 1.0, "b": 2.0}


def test_one_job_a_device_first_come_first_served():
    played, _ = play(LOAD, ONE, FIRST_COME, exact=True)
    assert [job.start_s for job in played] == [0.0, 100.0, 200.0]
    found = measure(played, ONE)
    assert found.waits.mean_s == pytest.approx((0 + 100 + 190) / 3)
    assert found.by_user["bob"].mean_s == 190.0
    assert found.makespan_s == 250.0
    # Somebody waits from 0 to 200, and all the while one job has 4 of the 10 GB that it needs.
    assert found.utilisation == pytest.approx(0.4)


def test_packed_by_memory():
    played, _ = play(LOAD, ONE, SHARED, exact=True)
    assert [job.start_s for job in played] == [0.0, 0.0, 100.0]
    found = measure(played, ONE)
    assert found.waits.mean_s == pytest.approx(90 / 3)
    assert found.utilisation == pytest.approx(0.8)
    # From 10 to 100 ada has 8 GB and bob none; they wanted 8 and 4, so 6 and 4 were due.
    assert found.fairness == pytest.approx(jain([8 / 6, 0 / 4]))
    assert (found.promises, found.kept) == (1, 1.0)


def test_where_nobody_waits_nothing_is_said_of_use_and_fairness():
    played, _ = play(LOAD[:1], ONE, SHARED)
    found = measure(played, ONE)
    assert (found.utilisation, found.fairness, found.kept, found.waits.mean_s) == (None, None, None, 0.0)


def test_policies_are_compared_on_the_same_jobs_and_what_fits_nowhere_is_counted():
    found = compare([*LOAD, Entry(20.0, "eve", 99 * GB, 5.0)], ONE)
    assert list(found.figures) == ["first-come", "whole-fair", "shared"]
    assert (found.jobs, found.never) == (4, 1)
    assert found.figures["shared"].waits.mean_s < found.figures["first-come"].waits.mean_s
