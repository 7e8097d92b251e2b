"""Other programs' servers, to be measured beside the yard: started on a free loopback port, stopped at the end."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench.yard import await_true

_START_S, _STOP_S = 90.0, 15.0
GUNICORN = ("--worker-class=gthread", "--workers=2", "--threads=16", "--log-level=warning", "--no-control-socket")
"""As `trainyard up` runs the API."""


@contextmanager
def run_server(
    command: Sequence[str], port: int, log: Path, *, ready: str, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command until the path `ready` answers on that port, and end it afterwards."""
    with log.open("ab") as file:
        process = subprocess.Popen(
            list(command), stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True, env=env
        )
    try:
        await_true(lambda: _answers(process, port, ready, log), _START_S, f"{command[0]} to answer")
        yield process
    finally:
        _stop(process)


@contextmanager
def run_gunicorn(app: str, log: Path, *, ready: str, env: Mapping[str, str]) -> Iterator[str]:
    """Run a WSGI application like the yard's own; the result is its address."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", *GUNICORN, f"--bind=127.0.0.1:{port}", app]
    with run_server(command, port, log, ready=ready, env=env):
        yield f"http://127.0.0.1:{port}"


def free_port() -> int:
    """A port that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"The server ended at once:\n{log.read_text()[-2000:]}")
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server and all that it had started: MLflow leaves some of its processes behind."""
    if process.poll() is not None:
        return
    family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=_STOP_S)
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    process.wait()
