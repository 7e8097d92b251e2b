"""Administrators add people, people choose a password and make tokens, and everybody says who sees what is theirs."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.api.pages.conftest import RunningYard, Visit

pytestmark = pytest.mark.browser
PASSWORD = "some words in a row"


def test_a_person_is_invited_chooses_a_password_and_logs_in_with_it(
    full_yard: RunningYard, open_window: Callable[..., Visit]
) -> None:
    root = open_window(full_yard).log_in()
    page = root.go("/people")
    page.get_by_label("Name", exact=True).fill("ida")
    page.get_by_role("button", name="Add").click()
    invitation = page.locator(".secret code").filter(has_text="ty_").text_content()
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_role("row", name="ida")).to_contain_text("none")

    guest = open_window(full_yard)
    page = guest.go("/account")
    page.get_by_label("Token").fill(invitation or "")
    page.get_by_role("button", name="Use the token").click()
    page.wait_for_url(re.compile(r"^[^?]*/account$"))  # and until its script is there
    page.get_by_label("The new one").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    page.get_by_role("button", name="Change the password").wait_for()
    assert guest.fetch("/people") == 403

    again = open_window(full_yard)
    page = again.go("/account")
    page.get_by_label("Name", exact=True).fill("ida")
    page.get_by_label("Password").fill("wrong words in a row")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("This name and password do not go together.")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(re.compile(r"^[^?]*/account$"))
    page.get_by_label("What for").fill("a script")
    page.get_by_role("button", name="Make a token").click()
    page.locator(".secret code").filter(has_text="ty_").wait_for()
    page.get_by_role("link", name="Done").click()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Revoke the token a script").click()
    expect(page.get_by_role("row", name="a script")).to_contain_text("revoked")


def test_a_job_is_made_public_on_its_page(full_yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    page = open_window(full_yard).log_in().go("/jobs/2")
    page.get_by_label("Owner admin, administrators and").select_option("everybody with an account here")
    with page.expect_navigation():
        page.get_by_role("button", name="Change").click()
    expect(page.get_by_label("Owner admin, administrators and")).to_have_value('{"visibility": "public"}')
    expect(page.get_by_text("Shown to: public.")).to_be_visible()
    page.goto(full_yard.url + "/audit?act=job.shown")
    expect(page.get_by_role("row", name="job 2")).to_contain_text("public")
