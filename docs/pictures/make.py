"""Make `docs/pictures/job.png`, the README's picture: the page of a LeNet-5 job, in a real browser on a real yard.

    python docs/pictures/make.py                        start a yard, train a few epochs, take the picture, stop it
    TRAINYARD_URL=… TRAINYARD_TOKEN=… python docs/pictures/make.py --job 7        a job of a running yard

Needs Debian's chromium, Playwright and, for the first way, MNIST: `TRAINYARD_DATA` may name a folder that has it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PICTURE = Path(__file__).with_name("job.png")
SPEC = ROOT / "examples" / "lenet5-mnist.json"
CHROMIUM_ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
WIDTH_PX, HEIGHT_PX = 1280, 1280
MOST_BYTES = 200_000
START_S, TRAIN_S, POLL_S = 180.0, 1_800.0, 1.0


class Address(NamedTuple):
    """Where a yard is, and a token for it."""

    url: str
    token: str


def main() -> None:
    """Make the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--job", type=int, help="a job of the yard at TRAINYARD_URL, instead of a new one")
    parser.add_argument("--epochs", type=int, default=5, help="epochs of the new job")
    chosen = parser.parse_args()
    if chosen.job:
        shoot(Address(os.environ["TRAINYARD_URL"].rstrip("/"), os.environ["TRAINYARD_TOKEN"]), chosen.job)
        return
    with running_yard() as yard:
        shoot(yard, train(yard, epochs=chosen.epochs))


@contextmanager
def running_yard() -> Iterator[Address]:
    """A yard in a folder of its own, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="trainyard-picture-") as home:
        command = [sys.executable, "-m", "trainyard", "up", "--home", home, "--port", "0"]
        environment = os.environ | {"TRAINYARD_WORKER_NAME": "lab"}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
        try:
            state = wait_for(lambda: read_state(Path(home), process), START_S)
            yield Address(state["url"], Path(state["token_file"]).read_text().strip())
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


def read_state(home: Path, process: subprocess.Popen[bytes]) -> Any:
    """What the yard wrote of itself once it was ready; None before."""
    if process.poll() is not None:
        raise SystemExit(f"The yard ended with status {process.returncode} before it was ready.")
    path = home / "state.json"
    return json.loads(path.read_text()) if path.exists() else None


def train(yard: Address, *, epochs: int) -> int:
    """Run the example's job to its end; its id."""
    spec = json.loads(SPEC.read_text()) | {"epochs": epochs}
    with httpx.Client(base_url=yard.url, headers={"Authorization": f"Bearer {yard.token}"}, timeout=30) as client:
        job_id = client.post("/api/v1/jobs", json=spec).raise_for_status().json()["id"]

        def finished() -> Any:
            job = client.get(f"/api/v1/jobs/{job_id}").raise_for_status().json()
            print(f"{job['status']} {job['progress']:.0%}", flush=True)
            return job if job["finished_at"] else None

        job = wait_for(finished, TRAIN_S)
    if job["status"] != "succeeded":
        raise SystemExit(f"Job {job_id} {job['status']}: {job['reason']}")
    return int(job_id)


def shoot(yard: Address, job_id: int) -> None:
    """Take the picture of a job's page."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("There is no chromium in PATH. Install Debian's package `chromium`.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS.split())
        page = browser.new_page(viewport={"width": WIDTH_PX, "height": HEIGHT_PX}, color_scheme="light")
        page.goto(f"{yard.url}/login?next=/jobs/{job_id}")
        page.get_by_label("Token", exact=True).fill(yard.token)
        page.get_by_role("button", name="Log in").click()
        page.locator(".confusion td.right").first.wait_for()
        page.locator(".chart svg path").first.wait_for()
        page.screenshot(path=PICTURE)
        browser.close()
    shrink(PICTURE)
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size:,} bytes")


def shrink(path: Path) -> None:
    """Write the picture with a palette; few colours are in it.

    Raises:
        SystemExit: it is still too large for a README.
    """
    with Image.open(path) as image:
        palette = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    palette.save(path, optimize=True)
    if path.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{path.name} has {path.stat().st_size:,} bytes; the limit is {MOST_BYTES:,}.")


def wait_for(ask: Any, within_s: float) -> Any:
    """Ask every second until the answer is true."""
    deadline = time.monotonic() + within_s
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise SystemExit(f"Nothing came of it within {within_s:.0f} s.")
        time.sleep(POLL_S)
    return answer


if __name__ == "__main__":
    main()
