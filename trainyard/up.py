"""`trainyard up`: the whole yard on one machine, as the child processes of one supervisor.

Broker, API and worker run in sessions of their own and are started again when they die. Only the API and the worker
are told the addresses of database and broker. When the supervisor dies, also by kill -9, its leash ends them all.
"""

from __future__ import annotations

import errno
import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import IO, Any

from records.settings import Settings
from trainyard import __version__
from trainyard.broker import EmbeddedBroker
from trainyard.errors import YardError
from trainyard.home import Home
from trainyard.leash import leashed
from trainyard.orphans import adopt_orphans, end_orphans, reap_orphans
from trainyard.part import Part
from trainyard.signals import Signals

API_PROCESSES = 2
_SHORT_REQUESTS = 8
"""Threads of an API process for requests that end soon; each event stream and each wait has one more."""
_READY_S = 90.0
_TICK_S = 0.2
_API_GRACE_S = 3

Say = Callable[[str], None]


def run_yard(settings: Settings, *, host: str, port: int, worker: bool, say: Say = print) -> None:
    """Start the yard, keep it going until a signal asks to stop, and stop it. Call it in the main thread.

    Args:
        settings: of the yard; its home may hold one running yard at a time.
        host: the address to listen on.
        port: 0 takes a free one.
        worker: whether this machine also works.
        say: takes the few lines for people.

    Raises:
        YardError: the home or the port is taken, or a part cannot be kept alive.
    """
    home = Home(settings.home)
    with home.hold(), listen(host, port) as listener, Signals().caught() as signals:
        adopt_orphans()
        yard = Yard(settings, home, listener, signals)
        try:
            yard.start(worker=worker, say=say)
            yard.keep()
            say("Stopping; a running job writes a checkpoint first. Press Ctrl-C again to hasten it.")
        finally:
            yard.stop()
    say("Trainyard has stopped.")


class Yard:
    """The parts of a running yard, in the order in which they start."""

    def __init__(self, settings: Settings, home: Home, listener: socket.socket, signals: Signals) -> None:
        self._settings = settings
        self._home = home
        self._listener = listener
        self._signals = signals
        self._broker = EmbeddedBroker(home.broker_folder) if settings.redis_url is None else None
        self._parts: list[Part] = []
        self._started_at = datetime.now(UTC)

    @property
    def url(self) -> str:
        """Where the API answers, as seen from this machine."""
        host, port = self._address()
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self, *, worker: bool, say: Say) -> None:
        """Start every part and wait until the yard is ready; return early when a signal asks to stop."""
        if self._broker is not None:
            self._add("broker", self._broker.spawn)
            self._await(self._broker.answers, "The broker does not answer.", part="broker")
        token = self._prepare()
        self._add("api", self._spawn_api)
        if worker:
            self._add("worker", self._spawn_worker)
        self._await(self._is_ready, "The API does not become ready.", part="api")
        if self._signals.stops:
            return
        self._write_state()
        self._announce(token, say)

    def keep(self) -> None:
        """Start parts again that die, until a signal asks to stop."""
        while not self._signals.stops:
            self._look_after()

    def stop(self) -> None:
        """End the parts, the last started first; kill what does not end in time, or at once after another signal."""
        asked = self._signals.stops
        grace_s = {"worker": self._settings.stop_grace_s + 10.0, "api": _API_GRACE_S + 3.0, "broker": 10.0}
        for part in reversed(self._parts):
            part.ask_to_stop()
            left = grace_s[part.name]
            while left > 0 and not part.ended() and self._signals.stops == asked:
                self._signals.wait(_TICK_S)
                left -= _TICK_S
            part.kill()
        end_orphans()
        self._home.forget_state()

    # ── the parts ────────────────────────────────────────────────────────────────────────────────────────────

    def _add(self, name: str, spawn: Callable[[IO[bytes]], subprocess.Popen[bytes]]) -> None:
        part = Part(name, spawn, home=self._home)
        self._parts.append(part)
        part.start()

    def _spawn_api(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Gunicorn on our own listening socket: a new API has the old address, and callers wait in its backlog."""
        options = {
            "bind": f"fd://{self._listener.fileno()}",
            "worker-class": "gthread",
            "workers": API_PROCESSES,
            "threads": _SHORT_REQUESTS + self._settings.max_streams + self._settings.max_predict_waits,
            "graceful-timeout": _API_GRACE_S,
            "log-level": "warning",
        }
        # Loaded once and then forked: the application connects to nothing before its first request, and its processes
        # share the memory of what it imports.
        argv = ["gunicorn", "--no-control-socket", "--preload", *(f"--{k}={v}" for k, v in options.items())]
        return self._spawn([*argv, "api.app:from_environment()"], log, pass_fds=(self._listener.fileno(),))

    def _spawn_worker(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        return self._spawn(["worker"], log)

    def _spawn(self, module: list[str], log: IO[bytes], **options: Any) -> subprocess.Popen[bytes]:
        """Run a module as a leashed child in a session of its own, told the addresses with secrets."""
        return subprocess.Popen(
            leashed([sys.executable, "-P", "-m", *module]),
            stdin=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
            cwd=self._home.folder,  # gunicorn imports from its folder first: not from wherever the user stands
            env=self._environment(),
            **{"stdout": log, **options},
        )

    def _environment(self) -> dict[str, str]:
        """Ours, with every setting that we may have decided ourselves made plain."""
        settings = self._settings
        ours = {
            "TRAINYARD_HOME": str(self._home.folder),
            "TRAINYARD_DATA": ":".join(map(str, settings.data)),
            "TRAINYARD_DATABASE_URL": settings.database_address,
            "TRAINYARD_REDIS_URL": self._broker.url if self._broker else settings.redis_address,
        }
        if settings.blobs is not None:
            ours["TRAINYARD_BLOBS"] = str(settings.blobs.absolute())
        inherited = {k: v for k, v in os.environ.items() if k not in ("GUNICORN_CMD_ARGS", "TRAINYARD_TOKEN")}
        return {**inherited, **ours}

    def _prepare(self) -> str:
        """Migrate and see to an administrator, in a process of its own; return the token when it is new."""
        with self._home.open_log("prepare") as log:
            child = self._spawn(["trainyard.prepare"], log, stdout=subprocess.PIPE)
        output, _ = child.communicate()
        if child.returncode and not self._signals.stops:
            raise self._trouble("The database could not be prepared.", part="prepare")
        return output.decode().strip()

    # ── watching ─────────────────────────────────────────────────────────────────────────────────────────────

    def _look_after(self) -> None:
        if self._signals.wait(_TICK_S):
            reap_orphans([part.pid for part in self._parts if part.pid])
        started = False
        for part in self._parts:
            try:
                started |= part.revive()
            except YardError as error:
                raise self._trouble(error.text, part=part.name) from error
        if started and self._home.state_file.exists():
            self._write_state()

    def _await(self, ready: Callable[[], bool], text: str, *, part: str) -> None:
        """Look after the parts until it is ready, or a signal asks to stop."""
        ticks = int(_READY_S / _TICK_S)
        while not self._signals.stops and not ready():
            ticks -= 1
            if ticks < 0:
                raise self._trouble(text, part=part)
            self._look_after()

    def _is_ready(self) -> bool:
        host, port = self._address()
        connection = http.client.HTTPConnection(host, port, timeout=5.0)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _trouble(self, text: str, *, part: str) -> YardError:
        lines = "".join(f"\n  {line}" for line in self._home.last_lines(part))
        return YardError(f"{text} The end of {self._home.log_file(part)}:{lines}")

    # ── telling ──────────────────────────────────────────────────────────────────────────────────────────────

    def _address(self) -> tuple[str, int]:
        host, port = self._listener.getsockname()[:2]
        if self._listener.family == socket.AF_INET6:
            host = "::1" if host == "::" else host
        return ("127.0.0.1" if host == "0.0.0.0" else host), port

    def _write_state(self) -> None:
        pids = {part.name: part.pid for part in self._parts}
        self._home.write_state(
            {
                "url": self.url,
                "token_file": str(self._home.token_file),
                "pid": os.getpid(),
                "pids": {"up": os.getpid(), **pids},
                "ports": {"api": self._address()[1], **({"broker": self._broker.port} if self._broker else {})},
                "version": __version__,
                "started_at": self._started_at.isoformat(timespec="seconds"),
            }
        )

    def _announce(self, token: str, say: Say) -> None:
        say(f"Trainyard is ready at {self.url}")
        if token:
            say(f"The administrator's token, shown this once: {token}")
        say(f"Its token is in {self._home.token_file}; the command line finds it by itself. Logs: {self._logs()}")

    def _logs(self) -> str:
        return str(self._home.log_file("api").parent)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; the system queues callers on it also while no API runs.

    Raises:
        YardError: the port is taken, or the host is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise YardError(
                f"Port {port} of {host} is taken by another program. "
                "Stop that one, or choose another with --port (0 takes a free one)."
            ) from error
        raise YardError(f"Cannot listen on {host} port {port}: {error.strerror or error}.") from error
