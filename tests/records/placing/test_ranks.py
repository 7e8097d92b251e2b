"""Numbers by which the database counts who goes first."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from records.placing import LAST_RANK, new_ranks

ranks = st.floats(-1e6, 1e6) | st.just(LAST_RANK)


@given(st.lists(ranks, max_size=30))
def test_afterwards_the_numbers_grow_along_the_order(before):
    numbers = dict(enumerate(before))
    after = numbers | new_ranks(list(numbers), numbers)
    found = [after[id] for id in numbers]
    assert all(low < high for low, high in pairwise(found))
    assert all(number < LAST_RANK for number in found)


@given(st.permutations(range(12)), st.integers(0, 11))
def test_an_order_that_only_lost_somebody_changes_nothing(order, gone):
    ranks = {id: float(place) for place, id in enumerate(order)}
    assert new_ranks([id for id in order if id != gone], ranks) == {}


def test_a_newcomer_costs_one_number():
    ranks = {1: 0.0, 2: 1.0, 3: 2.0, 9: LAST_RANK}
    assert new_ranks([1, 9, 2, 3], ranks) == {9: 0.5}
    assert new_ranks([9, 1, 2, 3], ranks) == {9: -1.0}
    assert new_ranks([1, 2, 3, 9], ranks) == {9: 3.0}


def test_who_moves_back_is_the_only_one_that_changes():
    ranks = {id: float(id) for id in range(1, 6)}
    assert new_ranks([2, 3, 1, 4, 5], ranks) == {1: 3.5}


def test_when_there_is_no_room_between_two_numbers_all_are_numbered_anew():
    ranks = {1: 0.0, 2: 1e-7, 3: LAST_RANK}
    assert new_ranks([1, 3, 2], ranks) == {1: 0.0, 3: 1.0, 2: 2.0}
