"""A client that asks as fast as the server answers: raw sockets, kept alive, one loop, hardly any work a reply."""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

_WARM_UP_S = 0.5
_PATIENCE_S = 30.0
_MOST_DROPPED = 100
DROPPED = 0


@dataclass(frozen=True)
class Load:
    """What came back."""

    per_s: float
    statuses: Counter[int]
    """How many replies of each status; `DROPPED` counts requests that the server left without one."""


class _Connection:
    """One connection with one request under way."""

    def __init__(self, host: str, port: int, request: bytes) -> None:
        self._address = (host, port)
        self._request = request
        self.open()

    def open(self) -> None:
        self.socket = socket.create_connection(self._address, timeout=_PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    def ask(self) -> None:
        self._received = b""
        with contextlib.suppress(ConnectionError):  # `read` will find that it is closed
            self.socket.sendall(self._request)

    def read(self) -> tuple[int, bool] | None:
        """The reply's status and whether the server goes on listening, once the reply is complete."""
        try:
            part = self.socket.recv(65_536)
        except ConnectionError:
            part = b""
        if not part:
            return DROPPED, False
        self._received += part
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return None
        head = head.lower()
        status = int(head[9:12])
        if len(body) < _length(head, status):
            return None
        return status, b"connection: close" not in head


def ask_repeatedly(
    url: str, headers: Mapping[str, str] | None = None, *, connections: int = 8, seconds: float = 5.0
) -> Load:
    """GET one address over and over on so many connections, and count the replies of so many seconds."""
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    lines = [f"GET {target} HTTP/1.1", f"Host: {parts.netloc}", *(f"{k}: {v}" for k, v in (headers or {}).items())]
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    with selectors.DefaultSelector() as selector:
        for _ in range(connections):
            _begin(selector, _Connection(parts.hostname or "", parts.port or 80, request))
        try:
            _count(selector, _WARM_UP_S)
            started = time.perf_counter()
            statuses = _count(selector, seconds)
            took = time.perf_counter() - started
        finally:
            for key in list(selector.get_map().values()):
                key.data.socket.close()
    return Load((statuses.total() - statuses[DROPPED]) / took, statuses)


def _begin(selector: selectors.BaseSelector, connection: _Connection) -> None:
    selector.register(connection.socket, selectors.EVENT_READ, connection)
    connection.ask()


def _count(selector: selectors.BaseSelector, seconds: float) -> Counter[int]:
    statuses: Counter[int] = Counter()
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        ready = selector.select(timeout=_PATIENCE_S)
        if not ready:
            raise TimeoutError(f"No reply within {_PATIENCE_S:.0f} s.")
        for key, _ in ready:
            reply = key.data.read()
            if reply is None:
                continue
            statuses[reply[0]] += 1
            if statuses[DROPPED] > _MOST_DROPPED:
                raise ConnectionError(f"The server dropped {statuses[DROPPED]} connections without a reply.")
            if not reply[1]:
                selector.unregister(key.data.socket)
                key.data.socket.close()
                key.data.open()
                _begin(selector, key.data)
            else:
                key.data.ask()
    return statuses


def _length(head: bytes, status: int) -> int:
    if status in (204, 304):
        return 0
    _, found, rest = head.partition(b"content-length:")
    if not found:
        raise ValueError("Expected a reply with Content-Length, got one without.")
    return int(rest.partition(b"\r\n")[0])
