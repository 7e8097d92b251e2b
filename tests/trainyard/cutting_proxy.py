"""A bad line: passes bytes on to a yard, and cuts connections after so many bytes of a request."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit


class CuttingProxy:
    """Listens on a free port of this machine.

    Args:
        target: address of the yard.
        cuts: after how many bytes from the client each connection is cut, one after the other; then none is.
    """

    def __init__(self, target: str, cuts: list[int]) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname or "", parts.port or 80)
        self._cuts = cuts
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.cut = 0
        """How many connections were cut."""
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        yard = socket.create_connection(self._target)
        threading.Thread(target=_copy, args=(yard, client), daemon=True).start()
        passed = 0
        with contextlib.suppress(OSError):
            while data := client.recv(65_536):
                yard.sendall(data)
                passed += len(data)
                if self._cuts and passed > self._cuts[0]:
                    self._cuts.pop(0)
                    self.cut += 1
                    break
        for side in (client, yard):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)


@contextlib.contextmanager
def bad_line(target: str, cuts: list[int]) -> Iterator[CuttingProxy]:
    """A proxy, closed at the end."""
    proxy = CuttingProxy(target, cuts)
    try:
        yield proxy
    finally:
        proxy.close()
