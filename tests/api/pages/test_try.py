"""Trying a trained model on its job's page: picked, dropped and pasted images, with a real predictor behind it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from records.blobs import FolderBlobs
from records.clock import utc_now
from records.database import Database
from records.settings import Settings
from tests.api.pages.conftest import WAIT_MS, RunningYard, Visit
from tests.api.pages.filling import png
from tests.models import add_trained_job

pytestmark = pytest.mark.browser

PNG = {"name": "digit.png", "mimeType": "image/png", "buffer": png(28, 28)}
BAD = {"name": "bad.png", "mimeType": "image/png", "buffer": b"no image"}
# A transfer with one image, as a drop or a paste brings it.
TRANSFER = """(bytes) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], "carried.png", { type: "image/png" }));
  return transfer;
}"""


@pytest.fixture(scope="module")
def trained(yard: RunningYard, model_files: Path) -> int:
    """A job of the yard that has trained."""
    settings = Settings(home=yard.home)
    database = Database(settings.database_address)
    try:
        blobs = FolderBlobs(settings.blob_folder)
        return add_trained_job(database, blobs, model_files, owner_id=1, at=utc_now())
    finally:
        database.close()


@pytest.fixture
def visit(yard: RunningYard, open_window: Callable[..., Visit], trained: int) -> Visit:
    """Somebody who looks at the job."""
    visit = open_window(yard).log_in()
    visit.go(f"/jobs/{trained}")
    return visit


def pick(page: Page, *files: Any) -> None:
    page.get_by_label("Choose images").set_input_files(list(files))


def test_picked_images_are_told_beside_their_pictures(visit: Visit) -> None:
    page = visit.page
    pick(page, PNG, BAD)
    rows = page.locator("#try [data-seen] > li")
    expect(rows).to_have_count(2)
    expect(rows.nth(0).locator(".bars li")).to_have_count(3, timeout=WAIT_MS)
    expect(rows.nth(0)).to_contain_text("digit.png")
    expect(rows.nth(1)).to_contain_text("Expected a JPEG")
    expect(page.locator("#try [data-said]")).to_contain_text("Told 1 of 2")
    assert rows.nth(0).locator("img").evaluate("(image) => image.naturalWidth") == 28
    share = rows.nth(0).locator(".bars li").first.evaluate("(bar) => parseFloat(bar.style.getPropertyValue('--share'))")
    assert 10 <= share <= 100
    assert visit.problems == []


def test_an_image_can_be_dropped_and_pasted(visit: Visit) -> None:
    page = visit.page
    for target, event, name in (("[data-drop]", "drop", "dataTransfer"), ("body", "paste", "clipboardData")):
        transfer = page.evaluate_handle(TRANSFER, list(PNG["buffer"]))
        page.locator(target).first.evaluate(
            """(place, [event, name, transfer]) => place.dispatchEvent(event === "paste"
                 ? new ClipboardEvent(event, { [name]: transfer, bubbles: true })
                 : new DragEvent(event, { [name]: transfer, bubbles: true, cancelable: true }))""",
            [event, name, transfer],
        )
    rows = page.locator("#try [data-seen] > li")
    expect(rows).to_have_count(2)
    expect(page.locator("#try .bars")).to_have_count(2, timeout=WAIT_MS)
    expect(rows.first).to_contain_text("carried.png")


def test_images_that_can_all_not_be_read_each_say_why(visit: Visit) -> None:
    pick(visit.page, BAD)
    expect(visit.page.locator("#try [data-seen] > li")).to_contain_text("Expected a JPEG", timeout=WAIT_MS)
    expect(visit.page.locator("#try [data-said]")).to_contain_text("No image could be read.")


def test_the_keyboard_reaches_the_picker(visit: Visit) -> None:
    picker = visit.page.get_by_label("Choose images")
    picker.focus()
    with visit.page.expect_file_chooser() as chooser:
        visit.page.keyboard.press("Space")
    assert chooser.value.is_multiple()


def test_a_script_without_the_csrf_token_asks_nothing(visit: Visit, trained: int) -> None:
    path = f"/api/v1/jobs/{trained}/predict"
    asked = {"method": "POST", "headers": {"Content-Type": "image/png"}, "body": "x"}
    assert visit.fetch(path, **asked) == 403


def test_a_job_without_a_model_has_nothing_to_try(full_yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    visit = open_window(full_yard).log_in()
    expect(visit.go("/jobs/1").locator("#try")).to_be_visible()
    assert visit.go("/jobs/2").locator("#try").count() == 0, "it failed"
    expect(visit.go("/jobs/4").locator("#try")).to_be_hidden()
    visit.go("/jobs/1").get_by_role("link", name="ask about a whole dataset").click()
    expect(visit.page.get_by_label("Job", exact=True)).to_have_value("1")
