"""The page of estimates says what the code and the measured lists say."""

from __future__ import annotations

import pytest

from bench.cases.estimate import again
from bench.estimates_list import LISTS, PAGE, page_with_tables, read_rows


@pytest.fixture(scope="module")
def rows():
    """The kept measurements with today's instant estimate."""
    return again(trace=False)


def test_the_page_is_in_step_with_the_lists_and_with_todays_estimate(rows):
    page = PAGE.read_text(encoding="utf-8")
    assert rows == read_rows(), "run `python -m bench.estimates_list`"
    assert page == page_with_tables(page, rows), "run `python -m bench.estimates_list`"


def test_what_was_measured_stands_in_the_order_of_the_lists(rows):
    for which, trainings in LISTS.items():
        measured = [row.configuration for row in rows if row.belongs_to == which]
        assert measured == [one for one in trainings if one in measured]


def test_at_least_thirty_trainings_were_measured(rows):
    assert len(rows) >= 30


def test_no_training_stands_in_both_lists():
    fitted, held_out = ({(*one[:5], str(one.options)) for one in trainings} for trainings in LISTS.values())
    assert not fitted & held_out
    assert len(held_out) >= 24


@pytest.mark.parametrize("which", LISTS)
def test_the_instant_estimate_keeps_to_its_aims(rows, which):
    errors = [abs(row.error) for row in rows if row.belongs_to == which]
    if not errors:
        pytest.skip("nothing of this list is measured yet")
    assert sum(errors) / len(errors) < 0.08
    assert max(errors) < 0.20


@pytest.mark.parametrize("which", LISTS)
def test_what_was_told_to_fit_fits(rows, which):
    """No peak above the upper end of its range, and no process above what its device was said to need."""
    for row in rows:
        if row.belongs_to == which:
            assert row.measured_bytes <= row.high_bytes, row.as_line()
            assert row.held, row.as_line()
