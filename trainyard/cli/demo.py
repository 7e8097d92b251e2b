"""`trainyard demo`: a yard is started, one job goes through it over HTTP, and the yard is stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from records.errors import TrainyardError
from trainyard.cli.files import print_artifacts
from trainyard.cli.output import console
from trainyard.cli.watching import print_ending, watch_job
from trainyard.client import Client
from trainyard.errors import YardError
from trainyard.home import Home
from trainyard.leash import leashed
from trainyard.results import Job

_CHECKOUT = Path(__file__).resolve().parents[2]
_EXAMPLE = _CHECKOUT / "examples" / "lenet5-mnist.json"
_START_S = 120.0
_STOP_S = 60.0
_LAST_LINES = 15


def run_demo(*, spec: Path | None, home: Path | None) -> bool:
    """Run it and print `demo: ok …` or `demo: failed …` as the last line. True when all went well.

    Args:
        spec: a file; without it, the example of LeNet-5 on MNIST.
        home: where the yard lives; without it, `var/demo` of the checkout, or a temporary folder.
    """
    try:
        verdict = _demo(_read(spec or _EXAMPLE), Home(home.expanduser().absolute() if home else _default_home()))
    except TrainyardError as error:
        verdict = f"failed {error.text}"
    except KeyboardInterrupt:
        verdict = "failed interrupted"
    console().print(f"demo: {verdict}", soft_wrap=True)
    return verdict.startswith("ok ")


def _demo(spec: dict[str, Any], home: Home) -> str:
    """Everything but the last line, which is returned."""
    out = console()
    out.print(f"Starting a yard in {home.folder} …", soft_wrap=True)
    with _running_yard(home) as url, Client(url, home.token_file.read_text().strip()) as client:
        out.print(f"Trainyard is ready at {url}", soft_wrap=True)
        job = client.submit(spec)
        out.print(f"Submitted job {job.id}: {job.title}")
        job = watch_job(client, job.id, out)
        print_ending(job, out)
        if job.status != "succeeded":
            _print_log(client, job)
            return f"failed job={job.id} {job.status} {job.reason.code if job.reason else ''}".rstrip()
        _print_results(client, job, home)
        accuracy = job.summary.get("test/accuracy")
        return f"ok job={job.id}" if accuracy is None else f"ok accuracy={accuracy:.4f} job={job.id}"


def _print_results(client: Client, job: Job, home: Home) -> None:
    out = console()
    accuracy = job.summary.get("test/accuracy")
    if accuracy is not None:
        out.print(f"\nTest accuracy: {accuracy:.4f}\n", style="bold")
    print_artifacts(list(client.artifacts(job.id)))
    out.print(f"\nIts page: {client.url}/jobs/{job.id}", soft_wrap=True)
    port = client.url.rpartition(":")[2]
    out.print(
        f"The yard stops now. To look at the page: {_trainyard()} up --home {home.folder} --port {port}\n"
        f"and log in with the token in {home.token_file}",
        soft_wrap=True,
    )


def _print_log(client: Client, job: Job) -> None:
    for line in list(client.logs(job.id))[-_LAST_LINES:]:
        console().print(f"  {line.text}", soft_wrap=True)


@contextmanager
def _running_yard(home: Home) -> Iterator[str]:
    """A yard of our own in that home, stopped at the end; gives its address."""
    with home.open_log("up") as log:
        argv = [sys.executable, "-P", "-m", "trainyard", "up", "--home", str(home.folder), "--port", "0"]
        yard = subprocess.Popen(
            leashed(argv), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=_environment()
        )
    try:
        yield _await_address(yard, home)
    finally:
        _stop(yard)


def _await_address(yard: subprocess.Popen[bytes], home: Home) -> str:
    deadline = time.monotonic() + _START_S
    while (state := home.read_state()).get("pid") != yard.pid:
        if yard.poll() is not None:
            raise YardError("the yard did not start: " + " ".join(home.last_lines("up", 3)))
        if time.monotonic() > deadline:
            raise YardError(f"the yard was not ready within {_START_S:.0f} s; see {home.log_file('up')}")
        time.sleep(0.1)
    return str(state["url"])


def _stop(yard: subprocess.Popen[bytes]) -> None:
    yard.send_signal(signal.SIGTERM)
    try:
        yard.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        yard.kill()  # its leash ends its parts
        yard.wait()


def _environment() -> dict[str, str]:
    """Ours; the yard's lines are written at once, so that its log tells why it did not start."""
    return {**os.environ, "PYTHONUNBUFFERED": "1"}


def _default_home() -> Path:
    if (_CHECKOUT / "pyproject.toml").exists():
        return _CHECKOUT / "var" / "demo"
    return Path(tempfile.mkdtemp(prefix="trainyard-demo-"))


def _read(file: Path) -> dict[str, Any]:
    try:
        spec: dict[str, Any] = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise YardError(f"the spec {file} cannot be read: {error}") from error
    return spec


def _trainyard() -> str:
    """How to call the command line that belongs to this Python."""
    program = Path(sys.executable).with_name("trainyard")
    return str(program.relative_to(_CHECKOUT)) if program.is_relative_to(_CHECKOUT) else "trainyard"
