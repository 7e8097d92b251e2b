"""Figures follow from values as worked out by hand."""

import pytest

from bench.results import Aim
from bench.statistics import alternate, figure, percentile, ratio


def test_a_figure_is_the_median_and_the_whole_range():
    made = figure("start", "s", [3.0, 1.0, 2.0, 10.0])
    assert (made.median, made.min, made.max, made.count) == (2.5, 1.0, 10.0, 4)


def test_a_figure_keeps_four_significant_digits():
    made = figure("start", "s", [1234.56, 1234.56, 0.00123456])
    assert (made.median, made.min) == (1235.0, 0.001235)


def test_a_figure_of_nothing_is_refused():
    with pytest.raises(ValueError, match="expected at least one value"):
        figure("start", "s", [])


def test_ratios_are_taken_between_neighbours_before_the_median():
    # 4/2, 9/3, 10/1: the ratio of the medians would be 9/2.
    made = ratio("spawn : preload", [4.0, 9.0, 10.0], [2.0, 3.0, 1.0])
    assert (made.median, made.min, made.max, made.unit) == (3.0, 2.0, 10.0, "×")


def test_ratios_need_as_many_values_on_both_sides():
    with pytest.raises(ValueError, match="zip"):
        ratio("spawn : preload", [4.0, 9.0], [2.0])


@pytest.mark.parametrize(("percent", "expected"), [(95, 19), (92, 19), (50, 10), (100, 20), (1, 1)])
def test_a_percentile_is_one_of_the_values(percent, expected):
    values = [float(n) for n in range(20, 0, -1)]
    assert percentile(values, percent) == expected


def test_runs_alternate():
    order = []
    first, second = alternate(3, lambda: order.append("a") or len(order), lambda: order.append("b") or len(order))
    assert order == ["a", "b", "a", "b", "a", "b"]
    assert (first, second) == ([1, 3, 5], [2, 4, 6])


@pytest.mark.parametrize(
    ("relation", "median", "met"),
    [("at least", 3.5, True), ("at least", 3.49, False), ("at most", 3.5, True), ("at most", 3.51, False)],
)
def test_an_aim_is_met_on_its_own_side_of_the_bound(relation, median, met):
    assert Aim(relation=relation, value=3.5).is_met(median) is met
