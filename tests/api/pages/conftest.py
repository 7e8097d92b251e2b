"""A real yard in its own processes, and a real browser that looks at it and notes whatever goes wrong."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from records.accounts import Person
from records.blobs import FolderBlobs
from records.clock import utc_now
from records.database import Database
from records.jobs import cancel
from records.schedule import run_pass
from records.settings import Settings
from tests.api.pages import filling
from tests.api.pages.filling_sets import fill_sets
from tests.waiting import eventually

CHROMIUM = shutil.which("chromium")
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
START_S = 120.0
"""A yard on a busy machine has this long to start, in seconds."""
WAIT_MS = 60_000
IN_RANGE, OUT_OF_RANGE = 60_000_000, 140_000_000
"""Peaks of the jobs that have ended; about 60 MB are estimated for them."""
_NOTE_VIOLATIONS = """
addEventListener("securitypolicyviolation", (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`));
"""


class RunningYard:
    """A yard that answers."""

    def __init__(self, url: str, token: str, home: Path) -> None:
        self.url = url
        self.token = token
        self.home = home


class Visit:
    """One browser window of one visitor."""

    def __init__(self, page: Page, yard: RunningYard) -> None:
        self.page = page
        self.yard = yard
        self.problems: list[str] = []
        """Errors on the console, exceptions of scripts, violations of the Content-Security-Policy."""
        page.set_default_timeout(WAIT_MS)
        page.add_init_script(_NOTE_VIOLATIONS)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.problems.append(str(error)))

    def go(self, path: str) -> Page:
        """Open a page of the yard."""
        self.page.goto(self.yard.url + path)
        return self.page

    def log_in(self) -> Visit:
        """Log in as the administrator."""
        self.go("/login")
        self.page.get_by_label("Token").fill(self.yard.token)
        self.page.get_by_role("button", name="Log in").click()
        self.page.get_by_role("heading", name="Jobs").wait_for()
        return self

    def fetch(self, path: str, **options: Any) -> int:
        """The status of a request that a script of the page sends, with its cookie."""
        status: int = self.page.evaluate("([p, o]) => fetch(p, o).then((r) => r.status)", [path, options])
        return status

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(message.text)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    if CHROMIUM is None:
        pytest.skip("no chromium here (looked in PATH)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS.split())
        yield browser
        browser.close()


@pytest.fixture
def open_window(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """`open_window(yard, width=1280, scheme="light")`: a window of a new visitor."""
    contexts: list[BrowserContext] = []

    def open_one(yard: RunningYard, *, width: int = 1280, scheme: Any = "light") -> Visit:
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme))
        return Visit(contexts[-1].new_page(), yard)

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def yard(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningYard]:
    """A yard with a worker that knows the kinds made for tests."""
    with _running(tmp_path_factory.mktemp("yard")) as running:
        yield running


@pytest.fixture(scope="session")
def full_yard(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningYard]:
    """A yard without a worker, with one job in each state: 1 succeeded, 2 failed, 3 cancelled, 4 runs, 5 and 6 wait."""
    home = tmp_path_factory.mktemp("full")
    with _running(home, "--no-worker") as running:
        settings = Settings(home=home)
        database = Database(settings.database_address)
        try:
            _fill(database, FolderBlobs(settings.blob_folder), home)
        finally:
            database.close()
        yield running


@contextmanager
def _running(home: Path, *options: str) -> Iterator[RunningYard]:
    environment = os.environ | {
        "TRAINYARD_TEST_KINDS": "true",
        "TRAINYARD_CHILD_START": "spawn",
        "TRAINYARD_FLUSH_S": "0.2",
    }
    command = [sys.executable, "-m", "trainyard", "up", "--home", str(home), "--port", "0", *options]
    with (
        (home / "up.log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True) as process,
    ):
        try:
            state = eventually(lambda: _state(home, process), START_S)
            yield RunningYard(state["url"], Path(state["token_file"]).read_text().strip(), home)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(START_S)


def _state(home: Path, process: subprocess.Popen[bytes]) -> Any:
    assert process.poll() is None, (home / "up.log").read_text()
    said = (home / "up.log").read_text()
    path = home / "state.json"
    return json.loads(path.read_text()) if "ready" in said and path.exists() else None


def _fill(database: Database, blobs: FolderBlobs, folder: Path) -> None:
    """One job in each state. The administrator is the first person."""
    admin, now = Person(1, "admin", "admin"), utc_now()

    def ago(minutes: float) -> Any:
        return now - timedelta(minutes=minutes)

    filling.add_job(database, admin, ago(200), name="LeNet-5 on MNIST")
    filling.succeed(database, blobs, folder, filling.start_next(database, ago(199), peak_bytes=IN_RANGE), ago(197))
    filling.write_and_register(database, admin, 1, ago(196))
    filling.add_job(database, admin, ago(90), learning_rate=9.0)
    filling.fail(database, filling.start_next(database, ago(89), peak_bytes=OUT_OF_RANGE), ago(88))
    long_name = "A rather long title, so that one sees what a line break does: " + "x" * 60
    unwanted = filling.add_job(database, admin, ago(40), name=long_name)
    with database.write() as session:
        cancel(session, unwanted, actor="user:admin", at=ago(39))
    filling.add_job(database, admin, ago(3), dataset="fashion_mnist", network={"name": "dense"})
    filling.start_next(database, ago(2))
    filling.add_job(database, admin, ago(1), epochs=20)
    filling.add_job(database, admin, now, priority=5, name="Urgent")
    fill_sets(database, blobs, admin, folder, ago(30))
    with database.write() as session:
        run_pass(session, lease_s=60, at=now)
