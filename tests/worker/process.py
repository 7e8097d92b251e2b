"""A worker as its own process, as `trainyard up` and compose start it, and what is left of it afterwards."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from multiprocessing import forkserver
from pathlib import Path

import psutil

from records.settings import Settings
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parent.parent.parent
STOPS_WITHIN_S = 40.0


class WorkerProcess:
    """`python -m worker` under some settings; its log goes to `worker.log` in the home."""

    def __init__(self, settings: Settings, **more: object) -> None:
        self.settings = settings.model_copy(update=more)
        self.log = self.settings.home / "worker.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "worker"], cwd=ROOT, env=environment(self.settings), stdout=log, stderr=log
            )
        self.pid = self.process.pid
        self._seen: set[psutil.Process] = set()

    def descendants(self) -> set[psutil.Process]:
        """All processes below it, those seen earlier included."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self._seen |= set(psutil.Process(self.pid).children(recursive=True))
        return self._seen

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.descendants()
        self.process.send_signal(number)

    def stop(self) -> int:
        """Ask it to stop; its exit status."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.process.wait(STOPS_WITHIN_S)

    def kill(self) -> None:
        """End it without a word."""
        self.signal(signal.SIGKILL)
        self.process.wait(STOPS_WITHIN_S)

    def leaves_nothing(self) -> bool:
        """Whether every process that was ever seen below it is gone."""
        return all(not alive(process) for process in self._seen)


def alive(process: psutil.Process) -> bool:
    """Whether it runs; one that has ended and waits to be reaped does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def gone(pid: int) -> bool:
    """Whether no process of that id runs."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def eventually_gone(pid: int) -> bool:
    """Wait until no process of that id runs."""
    return eventually(lambda: gone(pid), within_s=15)


def environment(settings: Settings) -> dict[str, str]:
    """The settings as variables."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith("TRAINYARD_")}
    assert settings.database_url is not None
    assert settings.redis_url is not None
    return {
        **kept,
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "REDIS_URL": settings.redis_url.get_secret_value(),
        "TRAINYARD_HOME": str(settings.home),
        "TRAINYARD_DATA": ":".join(str(path) for path in settings.data),
        "TRAINYARD_TEST_KINDS": "1",
        "TRAINYARD_WORKER_NAME": settings.worker_name,
        "TRAINYARD_CHILD_START": settings.child_start,
        "TRAINYARD_FLUSH_S": str(settings.flush_s),
        "TRAINYARD_LEASE_S": str(settings.lease_s),
        "TRAINYARD_SWEEP_S": str(settings.sweep_s),
        "TRAINYARD_DEVICES": settings.devices,
        "TRAINYARD_PREEMPTION": str(settings.preemption),
        "TRAINYARD_LEAST_RUN_S": str(settings.least_run_s),
        "TRAINYARD_STOP_GRACE_S": str(settings.stop_grace_s),
        "TRAINYARD_CANCEL_GRACE_S": str(settings.cancel_grace_s),
        "TRAINYARD_PREDICT_IDLE_S": str(settings.predict_idle_s),
    }


def preloaded_pid() -> int | None:
    """The process that children of this test process are forked from, if there is one."""
    pid: int | None = forkserver._forkserver._forkserver_pid
    return pid


def kill_preloaded() -> None:
    """End it."""
    pid = preloaded_pid()
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
        eventually_gone(pid)
