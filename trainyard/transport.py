"""One request to the yard: the token, patience with a yard that restarts, and problems as exceptions."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from trainyard.errors import ApiError, TooManyRequests, UnexpectedReply, Unreachable, YardFailed, api_error

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
_SILENCE_S = 60.0
"""A stream that says nothing for so long, not even a comment, is taken for broken."""


class Transport:
    """A connection to a yard.

    Args:
        url: of the yard, such as `http://127.0.0.1:8080`.
        token: sent as a bearer token; empty sends none.
        patience_s: how long a request is tried again while the yard cannot be reached, in seconds.
    """

    def __init__(self, url: str, token: str, *, patience_s: float) -> None:
        self.url = url.rstrip("/")
        self._patience_s = patience_s
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Unreachable(f"{url!r} is not a yard's address. Expected one like http://127.0.0.1:8080.")
        self._http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx.Timeout(30.0, connect=5.0),
            trust_env=parts.hostname not in _LOOPBACK,  # no proxy leads to this machine
            verify=parts.scheme == "https",  # reading the certificates takes long, and http has no use for them
        )

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def send(self, method: str, path: str, *, repeatable: bool = True, **options: Any) -> httpx.Response:
        """The yard's reply, 2xx or 304. While the yard cannot be reached, or is too busy, try again for a while.

        Args:
            method: of HTTP.
            path: below the yard's address.
            repeatable: whether the request may reach the yard twice; if not, it is tried again only as long as it
                surely has not.
            options: `params`, `json`, `content`, `files`, `headers`.

        Raises:
            ApiError: the yard refused.
            Unreachable: nobody answered.
        """
        return self._patiently(lambda: self._send(method, path, **options), repeatable=repeatable)

    def read(self, path: str, **options: Any) -> Any:
        """The JSON value of a GET."""
        return decode(self.send("GET", path, **options))

    @contextmanager
    def stream(self, path: str, *, headers: Mapping[str, str] | None = None) -> Iterator[httpx.Response]:
        """A reply whose body is read bit by bit. One try; the caller knows how to go on after a break.

        Raises:
            ApiError: the yard refused.
            Unreachable: nobody answered, or the stream broke.
        """
        timeout = httpx.Timeout(30.0, connect=5.0, read=_SILENCE_S)
        try:
            with self._http.stream("GET", path, headers=headers, timeout=timeout) as reply:
                if reply.status_code >= 400:
                    reply.read()
                    raise _refusal(reply)
                yield reply
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        reply = self._http.request(method, path, **options)
        if reply.is_success or reply.status_code == httpx.codes.NOT_MODIFIED:
            return reply
        raise _refusal(reply)

    def _patiently(self, act: Any, *, repeatable: bool) -> httpx.Response:
        deadline = time.monotonic() + self._patience_s
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                reply: httpx.Response = act()
                return reply
            except httpx.TransportError as error:
                again = repeatable or isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                trouble: Exception = self._unreachable(error)
            except TooManyRequests as error:
                again, trouble = True, error
                pause_s = max(pause_s, error.retry_after_s)
            except YardFailed as error:
                again, trouble = repeatable and error.status == httpx.codes.SERVICE_UNAVAILABLE, error
            if not again or time.monotonic() + pause_s > deadline:
                raise trouble
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _unreachable(self, error: httpx.TransportError) -> Unreachable:
        return Unreachable(f"No yard answers at {self.url} ({error or type(error).__name__}).")


def decode(reply: httpx.Response) -> Any:
    """The JSON value of a reply.

    Raises:
        UnexpectedReply: it is none.
    """
    try:
        return reply.json()
    except ValueError as error:
        kind = reply.headers.get("Content-Type", "no content type")
        raise UnexpectedReply(f"{reply.url} answered {reply.status_code} with {kind}. Is it a yard?") from error


def _refusal(reply: httpx.Response) -> ApiError:
    try:
        body = reply.json()
    except ValueError:
        body = None
    return api_error(reply.status_code, body, retry_after_s=_seconds(reply.headers.get("Retry-After", "")))


def _seconds(text: str) -> float:
    return float(text) if text.isdigit() else 0.0
