"""The client counts what a server answers."""

import contextlib
import socket
import sys
import threading

import pytest

from bench.load import ask_repeatedly
from bench.servers import free_port, run_server


def test_the_client_counts_whole_replies_by_status(tmp_path):
    port = free_port()
    command = [sys.executable, "-m", "bench.baselines.canned", str(port)]
    with run_server(command, port, tmp_path / "log", ready="/"):
        load = ask_repeatedly(f"http://127.0.0.1:{port}/", connections=3, seconds=0.1)
    assert set(load.statuses) == {200}
    assert load.per_s > 0


def test_a_server_that_drops_every_connection_is_an_error():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_drop, args=(listener,), daemon=True).start()
        with pytest.raises(ConnectionError, match="dropped 101 connections"):
            ask_repeatedly(f"http://127.0.0.1:{listener.getsockname()[1]}/", connections=1, seconds=30)
        listener.shutdown(socket.SHUT_RDWR)


def _drop(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            listener.accept()[0].close()
