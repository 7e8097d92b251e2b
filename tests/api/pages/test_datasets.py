"""The pages of datasets: sending images from the browser, and what a dataset's own page shows and does."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.api.pages.conftest import RunningYard, Visit
from tests.pictures import folder_a_class, pack, picture

pytestmark = pytest.mark.browser

WAIT_MS = 120_000
DROP = """([name, text]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([text], name));
  const drop = new DragEvent("drop", { dataTransfer: transfer, cancelable: true });
  document.getElementById("drop").dispatchEvent(drop);
}"""


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with two classes, and junk that nobody wants to send."""
    files = {**folder_a_class(), ".git/config": b"x", "ants/.DS_Store": b"x"}
    return _write(tmp_path / "My Photos", files)


def _write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def _send(page: Page) -> None:
    page.get_by_role("button", name="Upload and check").click()
    page.wait_for_url("**/datasets/*", timeout=WAIT_MS)


# ── sending ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_folder_is_sent_checked_and_shown(yard: RunningYard, open_window: Callable[..., Visit], photos: Path) -> None:
    visit = open_window(yard).log_in()
    page = visit.go("/upload")
    page.locator("#folder").set_input_files(photos)
    expect(page.locator("#chosen")).to_have_text("12 files")
    expect(page.get_by_label("Name", exact=True)).to_have_value("my-photos")
    page.get_by_label("Name", exact=True).fill("from-browser")
    _send(page)
    expect(page.locator("#head")).to_contain_text("ready", timeout=WAIT_MS)
    expect(page.locator("#report table.counts tbody tr")).to_have_count(2)
    expect(page.get_by_role("img", name="Samples of each class")).to_be_visible()
    assert visit.problems == []
    page = visit.go("/datasets")
    expect(page.locator("#own")).to_contain_text("from-browser")
    page = visit.go("/submit")
    page.get_by_label("Dataset").select_option("from-browser")


def test_an_archive_with_a_bad_file_is_refused_and_taken_without_it(
    yard: RunningYard, open_window: Callable[..., Visit], tmp_path: Path
) -> None:
    archive = tmp_path / "Spoilt Set.zip"
    archive.write_bytes(pack({**folder_a_class(), "bees/half.jpg": picture(9)[:300]}))
    visit = open_window(yard).log_in()
    page = visit.go("/upload")
    page.locator("#files").set_input_files(archive)
    expect(page.locator("#chosen")).to_have_text("Spoilt Set.zip")
    expect(page.get_by_label("Name", exact=True)).to_have_value("spoilt-set")
    _send(page)
    expect(page.locator("#standing")).to_contain_text("bad_files", timeout=WAIT_MS)
    expect(page.locator("#report")).to_contain_text("bees/half.jpg")
    page.get_by_role("button", name="Take it without the bad files").click()
    expect(page.locator("#head")).to_contain_text("version 2", timeout=WAIT_MS)
    expect(page.locator("#head")).to_contain_text("ready", timeout=WAIT_MS)
    page = visit.go("/upload?add=spoilt-set")
    page.locator("#files").set_input_files(archive)
    page.get_by_label("Replace").check()
    page.get_by_label("Leave bad files out").check()
    _send(page)
    expect(page.locator("#head")).to_contain_text("version 3", timeout=WAIT_MS)
    assert visit.problems == []


def test_what_the_browser_packs_is_a_tar_that_python_reads(
    full_yard: RunningYard, open_window: Callable[..., Visit]
) -> None:
    page = open_window(full_yard).log_in().go("/upload")
    files = {
        "a.jpg": "one", "ordner/größe-蜜蜂.jpg": "zwei", f"{'deep/' * 30}b.jpg": "three", f"{'x' * 99}.j": "x" * 512,
        f"{'y' * 88}/ä.jpg": "", **{f"{'n' * length}": "edge" for length in (88, 89, 90, 98, 99, 100, 101, 987, 988)},
    }  # fmt: skip
    text = page.evaluate(
        """async ([files, address]) => {
          const { makeTar } = await import(address);
          const entries = Object.entries(files).map(([path, text]) => ({ path, file: new Blob([text]) }));
          const bytes = new Uint8Array(await makeTar(entries).arrayBuffer());
          return Array.from(bytes);
        }""",
        [files, page.locator("script[src*='upload.js']").get_attribute("src").replace("upload.js", "tar.js")],
    )
    with tarfile.open(fileobj=io.BytesIO(bytes(text))) as archive:
        read = {member.name: archive.extractfile(member).read().decode() for member in archive}
    assert read == files


def test_a_name_that_is_taken_is_told_and_another_sends_nothing_twice(
    yard: RunningYard, open_window: Callable[..., Visit], photos: Path
) -> None:
    visit = open_window(yard).log_in()
    page = visit.go("/upload")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method) if request.method == "PATCH" else None)
    page.locator("#folder").set_input_files(photos)
    page.get_by_label("Name", exact=True).fill("mnist")
    page.get_by_role("button", name="Upload and check").click()
    expect(page.locator("#problems")).to_contain_text("catalogue")
    page.get_by_label("Name", exact=True).fill("Not A Name")
    page.get_by_role("button", name="Upload and check").click()
    expect(page.locator("#name-error")).to_contain_text("small letters")
    page.get_by_text("More options").click()
    page.get_by_label("Share to train on").fill("0.5")
    page.get_by_label("Name", exact=True).fill("told-first")
    page.get_by_role("button", name="Upload and check").click()
    expect(page.locator("#split-error")).to_contain_text("add up to 1")
    page.get_by_label("Share to train on").fill("0.8")
    _send(page)
    assert sent == ["PATCH"]
    expect(page.locator("#head")).to_contain_text("told-first")


def test_what_is_dropped_is_taken(full_yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    page = open_window(full_yard).log_in().go("/upload")
    page.evaluate(DROP, ["set.zip", "PK"])
    expect(page.locator("#chosen")).to_have_text("set.zip")
    expect(page.get_by_label("Name", exact=True)).to_have_value("set")


def test_nothing_is_not_sent(full_yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    page = open_window(full_yard).log_in().go("/upload")
    page.get_by_role("button", name="Upload and check").click()
    expect(page.locator("#problems")).to_contain_text("Choose images first")


# ── one dataset ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_page_shows_the_report(full_yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    page = open_window(full_yard).log_in().go("/datasets/ants-bees")
    expect(page.locator("#head")).to_contain_text("version 1")
    report = page.locator("#report")
    for text in (
        "One class has fewer",
        "Leakage between splits",
        "val/ants/2.jpg",
        "bees/half.jpg",
        "And 10 groups more",
    ):
        expect(report).to_contain_text(text)
    expect(page.locator("table.counts tbody tr")).to_have_count(3)
    expect(page.locator("#facts")).to_contain_text("3 turned upright, 40 shrunk")
    page.get_by_text("ants", exact=True).last.click()
    expect(page.get_by_role("img", name="Samples of ants")).to_be_visible()
    expect(page.locator("#versions li")).to_have_count(2)
    page.get_by_role("link", name="Version 2").click()
    expect(page.locator("#standing")).to_contain_text("1 file is bad")


def test_a_page_shows_how_far_a_check_is(full_yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    page = open_window(full_yard).log_in().go("/datasets/fresh")
    expect(page.locator("#standing")).to_contain_text("Looking at every image")
    expect(page.locator("#standing")).to_contain_text("181 of 362")


def test_another_name_and_version_are_not_found(full_yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    visit = open_window(full_yard).log_in()
    for path in ("/datasets/nothing", "/datasets/ants-bees?version=9", "/datasets/ants-bees?owner=nobody"):
        expect(visit.go(path).locator("main")).to_contain_text("Not found")
    expect(visit.go("/datasets/ants-bees?version=x").locator("main")).to_contain_text("whole number")


def test_a_dataset_is_deleted_only_after_a_question(
    yard: RunningYard, open_window: Callable[..., Visit], photos: Path
) -> None:
    visit = open_window(yard).log_in()
    page = visit.go("/upload")
    page.locator("#folder").set_input_files(photos)
    page.get_by_label("Name", exact=True).fill("short-lived")
    _send(page)
    page.on("dialog", lambda dialog: dialog.dismiss() if "version 1" in dialog.message else dialog.accept())
    page.get_by_role("button", name="Delete version 1").click()
    expect(page.locator("#head")).to_contain_text("short-lived")
    page.get_by_role("button", name="Delete dataset").click()
    page.wait_for_url("**/datasets")
    expect(page.locator("#own")).not_to_contain_text("short-lived")
