"""The page of estimated against measured peaks: the drawing, its read-out, the table."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.api.pages.conftest import RunningYard, Visit

pytestmark = pytest.mark.browser


@pytest.fixture
def visit(full_yard: RunningYard, open_window: Callable[..., Visit]) -> Visit:
    """The page, reached from the navigation."""
    visit = open_window(full_yard).log_in()
    visit.page.get_by_role("navigation").get_by_role("link", name="Estimates").click()
    visit.page.get_by_role("heading", name="Estimates against").wait_for()
    return visit


def test_each_attempt_stands_in_the_drawing_and_in_the_table(visit: Visit) -> None:
    page = visit.page
    expect(page.locator("#scatter circle.inside")).to_have_count(1)
    expect(page.locator("#scatter path.outside")).to_have_count(1)
    expect(page.locator("#scatter line.span")).to_have_count(2)
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("tbody tr", has_text="#2")).to_contain_text("outside")
    expect(page.locator("tbody tr", has_text="#1")).not_to_contain_text("outside")
    expect(page.locator(".score", has_text="Outside the range")).to_contain_text("1 of 2")
    assert visit.problems == []


def test_a_measured_peak_lies_above_its_estimate_where_too_little_was_estimated(visit: Visit) -> None:
    """Measured more: further to the right, below the line of just right."""
    at = "e => [e.getBBox().x + e.getBBox().width / 2, e.getBBox().y + e.getBBox().height / 2]"
    inside = visit.page.locator("#scatter circle.inside").evaluate(at)
    outside = visit.page.locator("#scatter path.outside").evaluate(at)
    line = visit.page.locator("#scatter line.right-on").evaluate(
        "e => ['x1', 'y1', 'x2', 'y2'].map((name) => Number(e.getAttribute(name)))"
    )

    def just_right(x: float) -> float:
        x1, y1, x2, y2 = line
        return y1 + (x - x1) / (x2 - x1) * (y2 - y1)

    assert outside[0] > inside[0]
    assert outside[1] > just_right(outside[0]), "estimated too little: below the line, further down the screen"
    assert inside[1] < just_right(inside[0]), "estimated too much: above it"


def test_arrow_keys_and_the_pointer_tell_of_one_attempt(visit: Visit) -> None:
    page = visit.page
    page.locator("#scatter svg").focus()
    page.keyboard.press("ArrowRight")
    reading = page.locator("#scatter [data-reading]")
    expect(reading).to_contain_text("Job 1, lenet5: measured 60 MB")
    page.keyboard.press("ArrowRight")
    expect(reading).to_contain_text("Job 2, lenet5: measured 140 MB")
    page.keyboard.press("Escape")
    expect(reading).to_contain_text("Point at an attempt")
    page.locator("#scatter circle.inside").hover()
    expect(reading).to_contain_text("Job 1")
