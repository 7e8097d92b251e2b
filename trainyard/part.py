"""One part of the yard (broker, API, worker) as a process that is started again when it dies."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable
from typing import IO

from trainyard.errors import YardError
from trainyard.home import Home

log = logging.getLogger("trainyard.up")

Spawn = Callable[[IO[bytes]], "subprocess.Popen[bytes]"]

_QUICK_S = 10.0
"""A part that lived for less died quickly."""
_QUICK_DEATHS = 8
"""So many quick deaths in a row, and it is no use."""
_FIRST_WAIT_S = 0.2
_LONGEST_WAIT_S = 8.0


class Part:
    """A process that the yard keeps alive.

    Args:
        name: also the name of its log.
        spawn: starts it in a session of its own, with its output to the given file.
        home: where its log lies.
    """

    def __init__(self, name: str, spawn: Spawn, *, home: Home) -> None:
        self.name = name
        self._spawn = spawn
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        self._born = 0.0
        self._due: float | None = None
        self._quick_deaths = 0

    @property
    def pid(self) -> int | None:
        """Its process id while it is there."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it."""
        with self._home.open_log(self.name) as file:
            self._process = self._spawn(file)
        self._born = time.monotonic()
        self._due = None
        log.info("part.started part=%s pid=%s", self.name, self.pid)

    def revive(self) -> bool:
        """Look whether it lives; start it again when it died and has waited long enough. True when it was started.

        Raises:
            YardError: it has died too often, each time soon after its start.
        """
        if self._process is not None:
            status = self._process.poll()
            if status is None:
                return False
            self._note_death(status)
        if self._due is None or time.monotonic() < self._due:
            return False
        self.start()
        return True

    def ask_to_stop(self) -> None:
        """Send SIGTERM. Harmless when it is gone."""
        if self._process is not None:
            self._process.terminate()

    def ended(self) -> bool:
        """Whether its process is gone."""
        return self._process is None or self._process.poll() is not None

    def kill(self) -> None:
        """End what is left of it: the process, and whatever it left in its process group."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _note_death(self, status: int) -> None:
        self.kill()  # what outlived its leader would hold the port, or the same work
        self._process = None
        quick = time.monotonic() - self._born < _QUICK_S
        self._quick_deaths = self._quick_deaths + 1 if quick else 1
        if self._quick_deaths >= _QUICK_DEATHS:
            raise YardError(
                f"The {self.name} ended {self._quick_deaths} times soon after its start, last with {_ending(status)}."
            )
        wait = min(_FIRST_WAIT_S * 2 ** (self._quick_deaths - 1), _LONGEST_WAIT_S)
        self._due = time.monotonic() + wait
        log.warning("part.died part=%s ending=%r start_in_s=%.1f", self.name, _ending(status), wait)


def _ending(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
