"""The page of estimates says what the code and the measured list say."""

from __future__ import annotations

from bench.cases.estimate import again
from bench.estimates_list import PAGE, page_with_table, read_rows


def test_the_page_is_in_step_with_the_list_and_with_todays_estimate():
    page, rows = PAGE.read_text(encoding="utf-8"), again()
    assert rows == read_rows(), "run `python -m bench.estimates_list`"
    assert page == page_with_table(page, rows), "run `python -m bench.estimates_list`"


def test_the_instant_estimate_keeps_to_its_aims_on_the_measured_list():
    rows = again()
    errors = [abs(row.error) for row in rows]
    assert len(rows) >= 30
    assert sum(errors) / len(errors) < 0.08
    assert max(errors) < 0.20
    assert all(row.measured_bytes <= row.high_bytes for row in rows), "no peak above the upper end of its range"
