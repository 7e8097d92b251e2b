"""A job from the form to its end, on a yard with a worker: submit, watch, cancel, retry, clone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.api.pages.conftest import WAIT_MS, RunningYard, Visit

pytestmark = pytest.mark.browser

STATE = "#head .state"


@pytest.fixture(autouse=True)
def _patient() -> None:
    expect.set_options(timeout=WAIT_MS)


def submit_noop(visit: Visit, **fields: object) -> Page:
    """Fill the form for a noop and send it; the page of the new job."""
    page = visit.go("/submit?kind=noop")
    for name, value in fields.items():
        page.locator(f"#{name}").fill(str(value))
    page.get_by_role("button", name="Submit job").click()
    page.wait_for_url(re.compile(r"/jobs/\d+$"))
    return page


def test_a_job_runs_from_the_form_to_success_before_ones_eyes(
    yard: RunningYard, open_window: Callable[..., Visit]
) -> None:
    visit = open_window(yard).log_in()
    page = submit_noop(visit, name="Counting", steps=60, step_s=0.1)
    expect(page.locator("h1")).to_contain_text("Counting")
    line = page.locator(".chart path.train")
    expect(line).to_have_attribute("d", re.compile("L"))
    early = line.get_attribute("d") or ""
    expect(page.locator(STATE)).to_have_text("running")
    expect(line).not_to_have_attribute("d", early)
    expect(page.locator("#standing progress")).to_have_attribute("value", re.compile(r"0\.\d+"))
    expect(page.locator("#events")).to_contain_text("Checkpoint at step")
    expect(page.locator(STATE)).to_have_text("succeeded")
    expect(page.locator("#files")).to_contain_text("noop.json")
    expect(page.locator(".chart svg")).to_have_attribute("aria-label", re.compile("at step 60"))
    assert visit.problems == []


def test_a_job_is_cancelled_tried_again_and_cloned(yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    visit = open_window(yard, width=390).log_in()
    page = submit_noop(visit, name="Long", steps=1000, step_s=0.1)
    expect(page.locator(STATE)).to_have_text("running")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(STATE)).to_have_text("cancelled")
    page.get_by_role("button", name="Retry").click()
    expect(page.locator(STATE)).to_have_text("running")
    expect(page.locator("#attempts")).to_contain_text("Attempt 2")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(STATE)).to_have_text("cancelled")
    page.get_by_role("link", name="Clone").click()
    expect(page.locator("#name")).to_have_value("Long")
    expect(page.locator("#steps")).to_have_value("1000")
    page.locator("#steps").fill("3")
    page.get_by_role("button", name="Submit job").click()
    expect(page.locator(STATE)).to_have_text("succeeded")
    assert visit.problems == []


def test_without_a_stream_the_page_polls(yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    visit = open_window(yard).log_in()

    def refuse(route: Route) -> None:
        route.fulfill(status=429, json={"code": "too_many_streams"})

    visit.page.route("**/api/v1/jobs/*/stream?*", refuse)
    page = submit_noop(visit, steps=60, step_s=0.1)
    line = page.locator(".chart path.train")
    expect(line).to_have_attribute("d", re.compile("L"))
    early = line.get_attribute("d") or ""
    expect(line).not_to_have_attribute("d", early)
    expect(page.locator(STATE)).to_have_text("succeeded")


def test_the_list_of_jobs_keeps_itself_current(yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    watching = open_window(yard).log_in()
    other = open_window(yard).log_in()
    submit_noop(other, name="Seen from afar", steps=20, step_s=0.1)
    row = watching.page.get_by_role("row").filter(has_text="Seen from afar")
    expect(row.locator(".state")).to_have_text("succeeded")
    assert watching.problems == []
