"""A throw-away PostgreSQL server for the tests: its own folder, a free loopback port, nothing flushed to disk."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg

from tests.waiting import eventually

_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=120")
_START_TRIES = 3
_START_S = 60.0


class PostgresServer:
    """A running server. Every database that it makes is a copy of one that was migrated once."""

    TEMPLATE = "yard_template"

    def __init__(self, port: int) -> None:
        self.port = port
        self._numbers = count(1)

    def url(self, name: str) -> str:
        """The address of a database of this server."""
        return f"postgresql+psycopg://yard@127.0.0.1:{self.port}/{name}"

    def make_empty(self, name: str) -> str:
        """Add an empty database and return its address."""
        self._run(f'CREATE DATABASE "{name}"')
        return self.url(name)

    @contextmanager
    def copy(self) -> Iterator[str]:
        """The address of a new copy of the template, dropped at the end."""
        name = f"yard_{next(self._numbers)}"
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{self.TEMPLATE}"')
        try:
            yield self.url(name)
        finally:
            self.drop(name)

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self._run(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _run(self, statement: str) -> None:
        with _connect(self.port) as connection:
            connection.execute(statement)


def find_binaries() -> Path | None:
    """The folder of the newest PostgreSQL binaries of this machine; None where there are none."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if versions:
        return versions[-1].parent
    found = shutil.which("postgres")
    return Path(found).resolve().parent if found and shutil.which("initdb") else None


@contextmanager
def run_postgres(binaries: Path, *, settings: Sequence[str] = _FAST) -> Iterator[PostgresServer]:
    """Start a server with `name=value` settings, and stop it at the end."""
    user = _server_user()
    # Not below pytest's folder: that is closed to the other user that the server must run as under root.
    folder = Path(tempfile.mkdtemp(prefix="trainyard-pg-"))
    try:
        if user is not None:
            shutil.chown(folder, user)
        data = folder / "data"
        initdb = [binaries / "initdb", "--no-sync", "--auth=trust", "--username=yard", "--encoding=UTF8", "-D", data]
        subprocess.run(initdb, check=True, capture_output=True, user=user, cwd=folder)
        process, port = _start(binaries, folder, user, settings)
        try:
            yield PostgresServer(port)
        finally:
            _stop(process)
    finally:
        shutil.rmtree(folder)


def _server_user() -> str | None:
    """Whom to run as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _start(
    binaries: Path, folder: Path, user: str | None, settings: Sequence[str]
) -> tuple[subprocess.Popen[bytes], int]:
    for _ in range(_START_TRIES):  # another program may take the port between our look and the server's
        port = _free_port()
        command = [binaries / "postgres", "-D", folder / "data", "-p", str(port), "-h", "127.0.0.1", "-k", ""]
        for setting in settings:
            command += ["-c", setting]
        with (folder / "log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, user=user, cwd=folder, start_new_session=True)
        if _answers(process, port):
            return process, port
        _stop(process)
    raise RuntimeError(f"PostgreSQL did not start:\n{(folder / 'log').read_text()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    def ready() -> bool:
        if process.poll() is not None:
            return True
        with contextlib.suppress(psycopg.OperationalError), _connect(port):
            return True
        return False

    eventually(ready, within_s=_START_S)
    return process.poll() is None


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)  # fast shutdown: do not wait for clients
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _connect(port: int) -> psycopg.Connection:
    return psycopg.connect(f"host=127.0.0.1 port={port} user=yard dbname=postgres connect_timeout=5", autocommit=True)
