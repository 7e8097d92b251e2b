"""Two ways to deal memory, against sequences worked out by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ml.estimates.allocator import BestFitAllocator, ExactAllocator

MIB = 2**20


def test_exact_counts_every_byte():
    exact = ExactAllocator()
    first, second = exact.allocate(100), exact.allocate(50)
    exact.free(first)
    exact.allocate(30)
    assert (exact.in_use, exact.peak) == (80, 150)
    exact.free(second)
    assert exact.in_use == 30


def test_best_fit_rounds_up_to_256_bytes():
    dealt = BestFitAllocator()
    dealt.allocate(257)
    assert dealt.in_use == 512


def test_a_gap_below_twice_the_size_is_handed_out_whole():
    dealt = BestFitAllocator()
    large = dealt.allocate(3 * MIB)
    wall = dealt.allocate(MIB)
    dealt.free(large)
    dealt.allocate(2 * MIB)
    assert dealt.in_use == 4 * MIB, "the gap of 3 MiB is not cut for 2 MiB"
    dealt.free(wall)


def test_a_gap_of_twice_the_size_is_cut():
    dealt = BestFitAllocator()
    large = dealt.allocate(2 * MIB)
    dealt.free(large)
    dealt.allocate(MIB)
    assert dealt.in_use == MIB
    dealt.allocate(MIB)
    assert dealt.in_use == 2 * MIB


def test_the_smallest_gap_that_is_large_enough_is_taken():
    dealt = BestFitAllocator()
    handles = [dealt.allocate(size * MIB) for size in (6, 1, 3, 1)]
    dealt.free(handles[0])
    dealt.free(handles[2])
    assert dealt.allocate(3 * MIB) == handles[2]


def test_free_neighbours_join():
    dealt = BestFitAllocator()
    handles = [dealt.allocate(MIB // 2) for _ in range(4)]
    for handle in handles:
        dealt.free(handle)
    assert dealt.allocate(2 * MIB) == handles[0]


@given(st.lists(st.tuples(st.integers(1, 5 * MIB), st.booleans()), max_size=60))
def test_best_fit_deals_no_byte_twice_and_gives_all_back(wishes):
    dealt, exact = BestFitAllocator(), ExactAllocator()
    held: list[tuple[int, int, int]] = []
    for size, keeps in wishes:
        place = dealt.allocate(size)
        assert all(place + size <= other or other + length <= place for other, length, _ in held)
        held.append((place, size, exact.allocate(size)))
        if not keeps:
            dealt.free(held[-1][0])
            exact.free(held.pop()[2])
    assert exact.peak <= dealt.peak
    for place, _, handle in held:
        dealt.free(place)
        exact.free(handle)
    assert dealt.in_use == exact.in_use == 0
