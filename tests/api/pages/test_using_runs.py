"""What people do with finished jobs in the pages: write on them, compare, clone, register, point aliases, export."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.api.pages.conftest import RunningYard, Visit
from trainyard.client import Client

pytestmark = pytest.mark.browser


@pytest.fixture
def client(yard: RunningYard) -> Iterator[Client]:
    """The same person, from Python."""
    with Client(yard.url, yard.token) as made:
        yield made


@pytest.fixture
def finished(client: Client) -> int:
    """A job that has succeeded."""
    return client.wait(client.submit({"kind": "noop", "steps": 3}).id, timeout_s=120).id


def test_a_note_and_tags_are_written_and_found(
    yard: RunningYard, open_window: Callable[..., Visit], client: Client, finished: int
) -> None:
    visit = open_window(yard).log_in()
    page = visit.go(f"/jobs/{finished}")
    page.get_by_text("Edit", exact=True).click()
    expect(page.get_by_label("Tags", exact=True)).to_have_value("")
    page.get_by_label("Note", exact=True).fill("line one\n<b>line two</b>")
    page.get_by_label("Tags", exact=True).fill("seen, by-browser")
    page.get_by_label("Title", exact=True).fill("Written on")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".written-note")).to_have_text("line one\n<b>line two</b>")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Written on")
    job = client.get(finished)
    assert (job.note, job.tags) == ("line one\n<b>line two</b>", ("seen", "by-browser"))
    page.locator("#notes").get_by_role("link", name="by-browser").click()
    expect(page.locator("#jobs tbody tr")).to_have_count(1)
    assert visit.problems == []


def test_an_edit_that_somebody_else_came_before_is_told(
    yard: RunningYard, open_window: Callable[..., Visit], client: Client, finished: int
) -> None:
    page = open_window(yard).log_in().go(f"/jobs/{finished}")
    page.get_by_text("Edit", exact=True).click()
    expect(page.get_by_label("Title", exact=True)).to_be_enabled()
    client.edit(finished, note="theirs")
    page.get_by_label("Note", exact=True).fill("mine")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#write-refusal")).to_contain_text("Somebody has edited job")
    assert client.get(finished).note == "theirs"


def test_a_bad_tag_is_told_where_it_was_typed(
    yard: RunningYard, open_window: Callable[..., Visit], finished: int
) -> None:
    page = open_window(yard).log_in().go(f"/jobs/{finished}")
    page.get_by_text("Edit", exact=True).click()
    page.get_by_label("Tags", exact=True).fill("Bad!")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#write-refusal")).to_contain_text("tags.0")


def test_jobs_are_chosen_in_the_list_and_compared(full_yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    visit = open_window(full_yard).log_in()
    page = visit.go("/")
    compare = page.get_by_role("link", name="Compare")
    expect(compare).to_be_hidden()
    for job_id in (4, 1):
        page.get_by_label(f"Choose job {job_id} to compare").check()
    page.locator("#jobs").evaluate("(list) => { list.innerHTML = list.innerHTML; }")  # as a refresh does
    expect(page.get_by_label("Choose job 1 to compare")).to_be_checked()
    expect(compare).to_have_text("Compare 2")
    compare.click()
    expect(page).to_have_url(re.compile(r"/compare\?jobs=1,4$"))
    expect(page.locator("[data-metric='train/loss'] svg path")).to_have_count(2)
    expect(page.get_by_role("img", name="Training loss: #1")).to_be_visible()
    rows = page.locator(".compare tbody tr")
    expect(rows.filter(has_text="network.name")).to_contain_text("dense")
    expect(rows.filter(has_text="batch_size")).to_have_count(0)
    page.locator("#same summary").click()
    expect(page.locator("#same")).to_contain_text("batch_size")
    strokes = "(paths) => paths.map((path) => getComputedStyle(path).stroke)"
    colours = page.locator("[data-metric='train/loss'] path").evaluate_all(strokes)
    assert len(set(colours)) == 2
    assert visit.problems == []


def test_what_cannot_be_compared_is_told(full_yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    page = open_window(full_yard).log_in().go("/compare?jobs=1")
    expect(page.locator("main")).to_contain_text("Expected two to 10 jobs to compare, got 1.")
    page.goto(f"{full_yard.url}/compare?jobs=1,999")
    expect(page.locator("main")).to_contain_text("There is no job 999")


def test_a_clone_knows_its_origin(
    yard: RunningYard, open_window: Callable[..., Visit], client: Client, finished: int
) -> None:
    page = open_window(yard).log_in().go(f"/jobs/{finished}")
    page.get_by_role("link", name="Clone").click()
    page.locator("#spec:not([inert])").wait_for()  # the origin's values have come
    page.get_by_label("Steps").fill("4")
    page.get_by_role("button", name="Submit job").click()
    expect(page.locator("#origin")).to_have_text(f"#{finished}")
    clone = client.get(int(page.url.rsplit("/", 1)[1]))
    assert (clone.cloned_from, clone.spec["steps"]) == (finished, 4)
    page.locator("#against-origin").click()
    expect(page.locator(".compare tbody tr").filter(has=page.locator("code"))).to_have_text(["steps34"])


def test_an_alias_is_pointed_and_one_that_moved_meanwhile_is_not(
    yard: RunningYard, open_window: Callable[..., Visit], client: Client, finished: int
) -> None:
    for _ in range(2):
        client.models.register("paged", finished, artifact="noop.json")
    visit = open_window(yard).log_in()
    page = visit.go("/models")
    page.get_by_role("link", name="paged").click()
    page.get_by_label("Alias for version 1").fill("champion")
    page.locator("[data-version='1']").get_by_role("button", name="Point it here").click()
    expect(page.locator("[aria-labelledby=version-1] .alias")).to_have_text("champion")
    client.models.point("paged", "champion", 2)
    client.models.point("paged", "champion", 1)
    page.get_by_label("Alias for version 2").fill("champion")
    page.locator("[data-version='2']").get_by_role("button", name="Point it here").click()
    expect(page.locator("#refusal")).to_contain_text("Somebody has moved this alias")
    assert [p for p in visit.problems if "412" not in p] == []
    page.reload()
    page.on("dialog", lambda dialog: dialog.accept())
    with page.expect_download() as download:
        page.locator("[aria-labelledby=version-1]").get_by_role("link", name="noop.json").click()
    assert json.loads(download.value.path().read_text())["steps"] == 3
    page.locator("[data-drop-version='2']").click()
    expect(page.locator("[aria-labelledby=version-2]")).to_have_count(0)
    page.get_by_role("button", name="Delete the alias champion").click()
    page.locator("[data-drop-model]").click()
    expect(page).to_have_url(f"{yard.url}/models")
    expect(page.get_by_role("link", name="paged")).to_have_count(0)


def test_a_model_is_registered_from_its_jobs_page(full_yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    page = open_window(full_yard).log_in().go("/jobs/1")
    page.get_by_label("Name", exact=True).fill("Not so")
    page.get_by_role("button", name="Register").click()
    expect(page.locator("#register-refusal")).to_contain_text("small letters")
    page.get_by_label("Name", exact=True).fill("from-the-page")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", name="Version 1")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/models/from-the-page$"))
    expect(page.locator("main")).to_contain_text("99.12 %")


def test_an_export_is_asked_for_by_boxes(full_yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    page = open_window(full_yard).log_in().go("/jobs/1")
    page.get_by_role("link", name="Export…").click()
    expect(page.get_by_label("Run")).to_have_value("1")
    page.get_by_label("tflite", exact=True).check()
    page.get_by_role("tab", name="JSON").click()
    spec: dict[str, Any] = json.loads(page.get_by_label("The spec as JSON").input_value())
    assert (spec["kind"], spec["run"], spec["formats"]) == ("export", 1, ["tflite", "onnx"])
    page.get_by_role("tab", name="Form").click()
    expect(page.get_by_label("tflite", exact=True)).to_be_checked()
    for name in ("tflite", "onnx"):
        page.get_by_label(name, exact=True).uncheck()
    page.get_by_role("button", name="Submit job").click()
    expect(page.locator("#formats-error")).to_contain_text("at least one format")
    page.get_by_label("onnx", exact=True).check()
    expect(page.locator("#formats-error")).to_be_hidden()
    page.get_by_role("button", name="Submit job").click()
    expect(page).to_have_url(re.compile(r"/jobs/\d+$"))
    expect(page.locator("main")).to_contain_text("export")
    job_id = int(page.url.rsplit("/", 1)[1])
    page.goto(f"{full_yard.url}/models/digits")
    expect(page.locator(f"a[href='/jobs/{job_id}']").first).to_contain_text("onnx")
    with Client(full_yard.url, full_yard.token) as client:
        client.cancel(job_id)  # the other tests know this yard's queue
