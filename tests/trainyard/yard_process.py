"""A real yard as a child process of the tests: `trainyard up` on a free port, with quick settings and test kinds."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil

from tests.waiting import eventually
from trainyard.client import Client

START_S = 120.0
"""A machine that runs other tests as well starts a yard slowly."""
QUICK = {
    "TRAINYARD_TEST_KINDS": "1",
    "TRAINYARD_CHILD_START": "spawn",
    "TRAINYARD_FLUSH_S": "0.1",
    "TRAINYARD_LEASE_S": "20",
    "TRAINYARD_SWEEP_S": "0.5",
    "PYTHONUNBUFFERED": "1",
}


class YardProcess:
    """`trainyard up` on a home."""

    def __init__(self, home: Path, *options: str, environment: Mapping[str, str] = QUICK) -> None:
        self.home = home
        argv = [sys.executable, "-m", "trainyard", "up", "--home", str(home), "--port", "0", *options]
        self.process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env=clean_environment(environment),
        )

    @property
    def state(self) -> dict[str, Any]:
        """What the yard says of itself; empty when it says nothing."""
        with contextlib.suppress(FileNotFoundError):
            state: dict[str, Any] = json.loads((self.home / "state.json").read_text())
            return state
        return {}

    def await_ready(self) -> YardProcess:
        """Wait until it can be reached."""
        eventually(self._is_ready_or_over, within_s=START_S)
        assert self.process.poll() is None, self.process.communicate()[0]
        return self

    def client(self) -> Client:
        """A client for it, as the administrator."""
        return Client(self.state["url"], (self.home / "admin.token").read_text().strip())

    def processes(self) -> list[psutil.Process]:
        """The supervisor and everything below it."""
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]

    def interrupt(self) -> str:
        """One Ctrl-C; returns what it printed, once it has ended."""
        self.process.send_signal(signal.SIGINT)
        return self.output()

    def output(self) -> str:
        """What it printed, once it has ended."""
        return self.process.communicate(timeout=90)[0]

    def end(self) -> None:
        """Stop it, however it stands."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.communicate(timeout=90)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()

    def _is_ready_or_over(self) -> bool:
        return bool(self.state) or self.process.poll() is not None


@contextlib.contextmanager
def run_yard(home: Path, *options: str, environment: Mapping[str, str] = QUICK) -> Iterator[YardProcess]:
    """A yard that is ready, and stopped at the end."""
    yard = YardProcess(home, *options, environment=environment)
    try:
        yield yard.await_ready()
    finally:
        yard.end()


def clean_environment(more: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without a yard of the developer's own."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith("TRAINYARD_")}
    return {**{k: v for k, v in ours.items() if k not in ("DATABASE_URL", "REDIS_URL")}, **more}


def all_gone(processes: list[psutil.Process]) -> bool:
    """Whether none of them runs any more."""
    return not any(p.is_running() and _status(p) != psutil.STATUS_ZOMBIE for p in processes)


def _status(process: psutil.Process) -> str:
    try:
        return process.status()
    except psutil.NoSuchProcess:
        return psutil.STATUS_ZOMBIE
