"""The page of one network: its form, its drawing, its table."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.api.pages.conftest import RunningYard, Visit

pytestmark = pytest.mark.browser

IS_DRAWN = "img => img.decode().then(() => img.naturalWidth > 200)"


def test_the_form_describes_the_network_for_other_images_and_options(
    full_yard: RunningYard, open_window: Callable[..., Visit]
) -> None:
    visit = open_window(full_yard).log_in()
    page = visit.go("/networks")
    page.get_by_role("link", name="LeNet-5", exact=True).click()
    expect(page.locator(".score").first).to_contain_text("61,706")
    page.get_by_label("Channels").fill("3")
    page.get_by_label("Classes").fill("7")
    page.get_by_label("variant").select_option("classic")
    page.get_by_role("button", name="Describe").click()
    row = page.locator("table.layers tr", has_text="c1").first
    expect(row).to_contain_text("456")  # 6 · (5 · 5 · 3 + 1)
    expect(page.locator("table.layers tr", has_text="logits")).to_contain_text("595")  # 84 · 7 + 7
    drawing = page.get_by_role("img", name="The layers of LeNet-5")
    assert drawing.evaluate(IS_DRAWN)
    reply = page.request.get(full_yard.url + str(drawing.get_attribute("src")))
    assert "PartialConv2D" in reply.text()
    assert "sandbox" in reply.headers["content-security-policy"]
    assert visit.problems == []


def test_a_mistake_stands_at_its_field_and_what_was_typed_stays(
    full_yard: RunningYard, open_window: Callable[..., Visit]
) -> None:
    page = open_window(full_yard).log_in().go("/networks/lenet5?classes=1&option.dropout=7&height=<b>")
    expect(page.locator("#classes-problem")).to_contain_text("greater than or equal to 2, got 1")
    expect(page.locator("#height-problem")).to_contain_text("valid integer")
    expect(page.get_by_label("Height")).to_have_value("<b>")
    page.goto(full_yard.url + "/networks/lenet5?option.dropout=7")
    expect(page.locator("[id='option.dropout-problem']")).to_contain_text("got 7")
    page.goto(full_yard.url + "/networks/lenet5?height=3&width_px=3")
    expect(page.get_by_role("alert")).to_contain_text("at least 12 x 12 px")
    page.goto(full_yard.url + "/networks/lenet")
    expect(page.locator("main")).to_contain_text("Did you mean lenet5")
