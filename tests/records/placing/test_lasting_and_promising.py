"""How long things last yet, and what is promised from that."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.placing import Span
from records.placing.lasting import left_after
from records.placing.promising import due_after, promised, ratio
from tests.records.placing.snapshots import seconds, spans


def test_what_is_known_exactly_is_left_exactly():
    assert left_after(seconds(100), 30) == seconds(70)


def test_who_is_overdue_is_expected_to_need_a_fifth_more_but_never_more_than_it_may():
    assert left_after(Span(10, 100, 1000), 200) == Span(0, 40, 800)
    assert left_after(Span(10, 100, 210), 200) == Span(0, 10, 10)
    assert left_after(Span(10, 100, 150), 200) == Span(0, 40, 40)


@given(spans, st.floats(0, 300))
def test_what_is_left_is_a_range(lasts, held_s):
    left = left_after(lasts, held_s)
    assert 0 <= left.low <= left.likely <= left.high


def test_without_experience_a_promise_has_the_stated_range():
    assert promised(540.0, []) == Span(pytest.approx(180.0), 540.0, pytest.approx(1440.0))


def test_with_experience_the_range_is_what_nineteen_of_twenty_came_to():
    ratios = [n / 100 for n in range(100, 200)]
    assert promised(60.0, ratios) == Span(60.0, 60.0, pytest.approx(120 * 1.97 - 60))


@given(st.floats(0, 1e6), st.lists(st.floats(0.01, 100), max_size=30))
def test_the_expected_wait_lies_in_its_range(wait_s, ratios):
    promise = promised(wait_s, ratios)
    assert 0 <= promise.low <= promise.likely <= promise.high
    assert promise.likely <= due_after(promise) <= promise.high


def test_a_wait_of_seconds_weighs_less_than_one_of_hours():
    assert ratio(1.0, 10.0) == pytest.approx(70 / 61)
    assert ratio(3600.0, 36_000.0) > 9
