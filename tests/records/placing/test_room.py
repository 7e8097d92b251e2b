"""What is free of a device over time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from records.placing.room import NEVER, Need, Room
from tests.records.placing.snapshots import GB, cpu, gpu, lease, seconds

WHOLE_DAY = 86_400.0


def need(gigabytes, threads=0):
    return Need(int(gigabytes * GB), threads, 1)


def test_room_grows_as_leases_end():
    room = Room(gpu(1, 24, lease(1, 8, left_s=100), lease(2, 8, left_s=300)))
    assert room.earliest(need(8), WHOLE_DAY) == 0
    assert room.earliest(need(9), WHOLE_DAY) == 100
    assert room.earliest(need(17), WHOLE_DAY) == 300
    assert room.earliest(need(25), WHOLE_DAY) == NEVER


def test_a_gap_before_a_plan_is_used_only_by_what_ends_in_time():
    room = Room(gpu(1, 24))
    room.take(100.0, 200.0, need(20))
    assert room.earliest(need(10), 100.0) == 0
    assert room.earliest(need(10), 101.0) == 200
    assert (room.fits_now(need(10), 100.0), room.fits_now(need(10), 101.0)) == (True, False)
    assert room.is_free_now(need(10))


def test_threads_of_a_cpu_count_like_memory():
    room = Room(cpu(1, 16, lease(1, 1, left_s=50, threads=2), threads=2))
    assert room.earliest(need(1, threads=1), 10.0) == 50


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20), st.integers(1, 6)), max_size=8),
    st.integers(1, 10),
    st.integers(1, 20),
)
def test_the_earliest_moment_is_the_first_at_which_it_fits(plans, wanted, length):
    room = Room(gpu(1, 10e-9, slots=99))
    for start, lasts, size in plans:
        room.take(float(start), float(start + lasts), Need(size, 0, 1))

    def free(moment):
        return 10 - sum(size for start, lasts, size in plans if start <= moment < start + lasts)

    def fits(start):
        return all(free(moment) >= wanted for moment in range(start, start + length))

    expected = next(start for start in range(100) if fits(start))
    assert room.earliest(Need(wanted, 0, 1), float(length)) == expected
    assert room.fits_now(Need(wanted, 0, 1), float(length)) == fits(0)


def test_what_was_planned_for_somebody_who_stops_is_given_back():
    room = Room(gpu(1, 24, lease(1, 20, left_s=seconds(1000).likely)))
    room.take(30.0, 1000.0, Need(-20 * GB, 0, -1))
    assert room.earliest(need(20), WHOLE_DAY) == 30
