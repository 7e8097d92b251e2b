"""Every page: no errors, no violations of the policy, nothing wider than a phone, readable in light and dark."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.api.pages.conftest import RunningYard, Visit
from tests.waiting import eventually

pytestmark = pytest.mark.browser

PAGES = {
    "jobs": "/",
    "succeeded": "/jobs/1",
    "failed": "/jobs/2",
    "cancelled": "/jobs/3",
    "running": "/jobs/4",
    "queued": "/jobs/5",
    "submit": "/submit",
    "clone": "/submit?from=1",
    "devices": "/devices",
    "datasets": "/datasets",
    "dataset": "/datasets/ants-bees",
    "dataset refused": "/datasets/ants-bees?version=2",
    "dataset checking": "/datasets/fresh",
    "dataset bad": "/datasets/bad",
    "dataset empty": "/datasets/gone",
    "upload": "/upload",
    "upload more": "/upload?add=ants-bees",
    "networks": "/networks",
    "network": "/networks/googlenet?height=96&width_px=64&channels=1&classes=5",
    "estimates": "/estimates",
    "network told": "/networks/lenet5?height=2&classes=1",
    "tagged": "/?tag=good",
    "compare": "/compare?jobs=1,2,4",
    "models": "/models",
    "model": "/models/digits",
    "export": "/submit?kind=export&export=1",
    "older": "/?before=3",
    "empty": "/?before=1",
}
# The least contrast of WCAG 2.1 AA: 4.5, or 3 for large text. Gives the texts that have less.
LOW_CONTRAST = """() => {
  const parse = (css) => {
    const n = css.match(/-?[\\d.]+(e-?\\d+)?/g).map(Number);
    const rgb = css.startsWith("color(") ? n.slice(0, 3) : n.slice(0, 3).map((v) => v / 255);
    return [...rgb, n[3] ?? 1];
  };
  const light = (c) => c.slice(0, 3).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const ground = (e) => (e ? over(parse(getComputedStyle(e).backgroundColor), ground(e.parentElement)) : [1, 1, 1, 1]);
  const low = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    const text = walk.currentNode.textContent.trim();
    if (!text || !e.checkVisibility()) continue;
    if (e.closest(".visually-hidden, .skip, :disabled, svg, option, noscript, script")) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(over(parse(style.color), ground(e))), light(ground(e))].sort((x, y) => y - x);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (large ? 3 : 4.5)) low.push(`${text.slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return low;
}"""
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
UNNAMED = """() => [...document.querySelectorAll("a, button, input, select, textarea, progress, img")]
  .filter((e) => e.checkVisibility())
  .filter((e) => !(e.ariaLabel || e.alt || e.textContent.trim() || e.labels?.length || e.querySelector("img[alt]")))
  .map((e) => e.outerHTML.slice(0, 80))"""


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "light"), (390, "dark")])
def test_every_page_is_sound_narrow_and_readable(
    full_yard: RunningYard, open_window: Callable[..., Visit], width: int, scheme: str
) -> None:
    visit = open_window(full_yard, width=width, scheme=scheme).log_in()
    faults: dict[str, object] = {}
    for name, path in PAGES.items():
        page = visit.go(path)
        if name in ("succeeded", "running", "compare", "estimates"):
            expect(page.locator(".chart svg path").first).to_be_visible()
        page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
        found = {
            "wider by px": page.evaluate(WIDER),
            "low contrast": page.evaluate(LOW_CONTRAST),
            "without a name": page.evaluate(UNNAMED),
            "problems": list(visit.problems),
        }
        visit.problems.clear()
        faults |= {f"{name}: {kind}": fault for kind, fault in found.items() if fault}
    assert faults == {}


def test_the_policy_is_in_force_and_noticed(full_yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    visit = open_window(full_yard).log_in()
    visit.page.evaluate("document.body.append(Object.assign(document.createElement('style'), {textContent: 'a{}'}))")
    visit.page.evaluate("document.body.setAttribute('onclick', 'alert(1)')")

    def noticed() -> set[str]:
        visit.page.evaluate("0")  # lets the browser tell what it has to tell
        return {word for word in ("policy: style-src", "policy: script-src") if word in " ".join(visit.problems)}

    assert eventually(lambda: len(noticed()) == 2, 30.0)


def test_a_finished_job_shows_results_and_files(full_yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    page = open_window(full_yard).log_in().go("/jobs/1")
    expect(page.locator("#standing")).to_contain_text("99.12 %")
    expect(page.locator(".confusion td.right")).to_have_count(10)
    expect(page.get_by_role("img", name="Mistakes of job 1")).to_be_visible()
    expect(page.get_by_role("img", name="Loss: Training")).to_be_visible()
    expect(page.locator("#log")).to_contain_text("Step 1600 of 1688.")
    with page.expect_download() as download:
        page.get_by_role("link", name="history.csv").click()
    assert download.value.path().read_bytes().startswith(b"epoch,train/loss")


def test_a_waiting_job_tells_its_place_and_its_reason(
    full_yard: RunningYard, open_window: Callable[..., Visit]
) -> None:
    page = open_window(full_yard).log_in().go("/jobs/5")
    expect(page.locator("#standing")).to_contain_text("2nd in the queue. Others go first: they came earlier")
    page = open_window(full_yard).log_in().go("/devices")
    expect(page.locator("#queue tbody tr").first).to_contain_text("Urgent")


def test_the_read_out_of_a_chart_follows_the_keys(full_yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    page = open_window(full_yard).log_in().go("/jobs/1")
    chart = page.locator("[data-quantity=loss]")
    last = chart.locator("[data-legend] b").first.inner_text()
    chart.locator("svg").focus()
    page.keyboard.press("Home")
    expect(chart.locator("[data-legend]")).to_contain_text("at 8")
    assert float(chart.locator("[data-legend] b").first.inner_text()) > float(last)
    linear = chart.locator("path.train").get_attribute("d")
    chart.get_by_role("button", name="Log scale").click()
    assert chart.locator("path.train").get_attribute("d") != linear


def test_a_job_that_does_not_exist_is_told_so(full_yard: RunningYard, open_window: Callable[..., Visit]) -> None:
    page = open_window(full_yard).log_in().go("/jobs/99999999999999999999")
    expect(page.locator("main")).to_contain_text("Not found")
    page.goto(full_yard.url + "/?status=lost")
    expect(page.locator("main")).to_contain_text("No state is called 'lost'")


def test_a_page_that_has_not_changed_is_not_sent_again(
    full_yard: RunningYard, open_window: Callable[..., Visit]
) -> None:
    visit = open_window(full_yard).log_in()
    tag = visit.page.evaluate("fetch('/jobs/1').then((r) => r.headers.get('ETag'))")
    assert visit.fetch("/jobs/1", headers={"If-None-Match": tag}, cache="no-store") == 304
    assert visit.fetch("/jobs/2", headers={"If-None-Match": tag}, cache="no-store") == 200
