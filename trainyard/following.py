"""Following a job until it has finished: over the event stream, or by asking again where no stream is to be had."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import httpx

from trainyard.errors import TooManyRequests, Unreachable
from trainyard.results import Job
from trainyard.server_events import parse_stream
from trainyard.transport import Transport, decode

_POLL_S = 1.0
_STREAM_AGAIN_S = 15.0
"""How long to go without a stream before it is worth trying one again."""
_AFTER_STREAM_S = 0.1
"""A stream that ended before the job did is taken up again, but not in a mad rush."""


class Follower:
    """What is remembered between replies, so that nothing is told twice and a broken stream is taken up again."""

    def __init__(self, transport: Transport, job_id: int, *, poll_s: float = _POLL_S) -> None:
        self._transport = transport
        self._path = f"/api/v1/jobs/{job_id}"
        self._poll_s = poll_s
        self._etag = ""
        self._event_id = ""
        self._last: Job | None = None

    def follow(self, *, deadline: float | None = None) -> Iterator[Job]:
        """The job whenever it has changed, first as it is now, last as it ended.

        Args:
            deadline: end earlier at this `time.monotonic`; then no stream is used, which may be silent for long.
        """
        yield from self._ask()
        while not self._ended() and (deadline is None or time.monotonic() < deadline):
            try:
                if deadline is None:
                    yield from self._listen()
                    time.sleep(_AFTER_STREAM_S)
                else:
                    yield from self._poll(deadline)
            except (TooManyRequests, Unreachable):
                yield from self._poll(time.monotonic() + _STREAM_AGAIN_S)

    def _listen(self) -> Iterator[Job]:
        """The job from the event stream, until that ends."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": self._event_id} if self._event_id else {})
        with self._transport.stream(f"{self._path}/stream", headers=headers) as reply:
            for event in parse_stream(reply.iter_lines()):
                self._event_id = event.id or self._event_id
                if event.name == "job":
                    yield from self._take(Job.model_validate(json.loads(event.data)))
                if self._ended():
                    return

    def _poll(self, until: float) -> Iterator[Job]:
        """The job by asking for it again and again."""
        while not self._ended() and (left := until - time.monotonic()) > 0:
            time.sleep(min(self._poll_s, left))
            yield from self._ask()

    def _ask(self) -> Iterator[Job]:
        headers = {"If-None-Match": self._etag} if self._etag else {}
        reply = self._transport.send("GET", self._path, headers=headers)
        if reply.status_code != httpx.codes.NOT_MODIFIED:
            self._etag = reply.headers.get("ETag", "")
            yield from self._take(Job.model_validate(decode(reply)))

    def _take(self, job: Job) -> Iterator[Job]:
        if job != self._last:
            self._last = job
            yield job

    def _ended(self) -> bool:
        return self._last is not None and self._last.is_finished
