"""Sessions of the pages: who gets in, and what a cookie alone cannot do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.api.pages.conftest import RunningYard, Visit

pytestmark = pytest.mark.browser


def test_a_wrong_token_is_refused_in_clear_words(full_yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    page = open_window(full_yard).go("/")
    page.get_by_label("Token").fill("ty_wrong")
    page.get_by_role("button", name="Use the token").click()
    expect(page.get_by_role("alert")).to_have_text("This token is not known here. Check that all of it was copied.")
    expect(page.get_by_label("Token")).to_have_value("")


def test_logging_in_leads_to_the_page_that_was_asked_for(
    full_yard: RunningYard, open_window: Callable[..., Visit]
) -> None:
    page = open_window(full_yard).go("/?status=failed")
    page.get_by_label("Token").fill(full_yard.token)
    page.get_by_role("button", name="Use the token").click()
    expect(page).to_have_url(full_yard.url + "/?status=failed")


@pytest.mark.parametrize("elsewhere", ["https://example.org/", "//example.org/", "/\\example.org/"])
def test_logging_in_never_leads_to_another_site(
    full_yard: RunningYard, open_window: Callable[..., Visit], elsewhere: str
) -> None:
    page = open_window(full_yard).go(f"/login?next={elsewhere}")
    page.get_by_label("Token").fill(full_yard.token)
    page.get_by_role("button", name="Use the token").click()
    expect(page).to_have_url(full_yard.url + "/")


def test_logging_out_ends_the_session(full_yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    visit = open_window(full_yard).log_in()
    assert visit.fetch("/api/v1/jobs") == 200
    visit.page.get_by_role("button", name="Log out").click()
    expect(visit.page.get_by_label("Token")).to_be_visible()
    assert visit.fetch("/api/v1/jobs") == 401
    expect(visit.go("/jobs/1").get_by_label("Token")).to_be_visible()


def test_a_cookie_alone_changes_nothing(full_yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    visit = open_window(full_yard).log_in()
    body = '{"kind": "noop"}'
    json = {"Content-Type": "application/json"}
    assert visit.fetch("/api/v1/jobs", method="POST", body=body, headers=json) == 403
    assert visit.fetch("/api/v1/jobs/5/cancel", method="POST") == 403
    assert visit.fetch("/api/v1/jobs/5/cancel", method="POST", headers={"X-CSRF-Token": "guessed"}) == 403
    assert visit.fetch("/logout", method="POST") == 403
    assert visit.fetch("/api/v1/jobs/5") == 200
