"""Who goes first."""

from __future__ import annotations

from datetime import timedelta

from records.placing import FIRST_COME, Policy, Snapshot, in_order
from tests.records.placing.snapshots import GB, NOW, gpu, job, lease, seconds

DEVICES = (gpu(1),)


def order(waiting, policy=None, **more):
    return [
        job.id for job in in_order(Snapshot(NOW, waiting, more.pop("devices", DEVICES), **more), policy or Policy())
    ]


def test_priority_comes_before_everything_else():
    jobs = [job(1, 1, owner=1), job(2, 1, owner=2, priority=9)]
    assert order(jobs, used={2: 1e15}) == [2, 1]


def test_who_has_used_less_goes_first_and_who_came_first_among_equals():
    jobs = [job(1, 1, owner=1), job(2, 1, owner=2), job(3, 1, owner=3)]
    assert order(jobs, used={1: 10.0, 2: 5.0, 3: 5.0}) == [2, 3, 1]


def test_somebodys_second_job_stands_behind_everybodys_first():
    ada, bob = [job(n, 1, owner=1) for n in (1, 2, 3)], [job(n, 1, owner=2) for n in (4, 5)]
    assert order([*ada, *bob]) == [1, 4, 2, 5, 3]
    assert order([*ada, *bob], FIRST_COME) == [1, 2, 3, 4, 5]


def test_a_large_job_counts_for_more_than_a_small_one():
    ada = [job(1, 12, owner=1), job(2, 12, owner=1)]
    bob = [job(3, 3, owner=2), job(4, 3, owner=2), job(5, 3, owner=2)]
    assert order([*ada, *bob]) == [1, 3, 4, 5, 2]


def test_a_weight_of_two_is_two_turns_for_one():
    ada, bob = [job(n, 1, owner=1) for n in (1, 2, 3, 4)], [job(n, 1, owner=2) for n in (5, 6)]
    assert order([*ada, *bob], Policy(weights={1: 2.0})) == [1, 5, 2, 3, 6, 4]


def test_what_runs_counts_with_what_it_is_expected_to_use():
    devices = (gpu(1, 24, lease(9, 1, owner=1, held_s=10, left_s=10)), gpu(2, 24, lease(8, 1, owner=2, left_s=3000)))
    assert order([job(1, 1, owner=2), job(2, 1, owner=1)], devices=devices) == [2, 1]


def test_when_a_job_starts_its_owners_others_keep_their_places():
    waiting = [job(1, 1, owner=1), job(2, 1, owner=1), job(3, 2, owner=2), job(4, 1, owner=2)]
    before = order(waiting)
    devices = (gpu(1, 24, lease(1, 1, owner=1)),)
    assert order(waiting[1:], devices=devices) == [id for id in before if id != 1]


def test_a_job_that_is_due_goes_before_others_of_its_priority_alone():
    due = job(1, 1, owner=1, due_at=NOW - timedelta(seconds=1))
    later = job(2, 1, owner=1, due_at=NOW + timedelta(seconds=1))
    jobs = [due, later, job(3, 1, owner=2), job(4, 1, owner=2, priority=1)]
    assert order(jobs, used={1: 1e15}) == [4, 1, 3, 2]


def test_unknown_needs_are_charged_as_a_whole_device():
    ada = [job(1, owner=1, lasts=seconds(60)), job(2, owner=1, lasts=seconds(60))]
    bob = [job(3, 8, owner=2, lasts=seconds(60)) for _ in range(1)] + [job(4, 8, owner=2, lasts=seconds(60))]
    assert order([*ada, *bob]) == [1, 3, 4, 2]
    assert DEVICES[0].memory_bytes == 24 * GB
