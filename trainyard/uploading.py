"""Sending bytes in parts: goes on where an earlier try broke off, and is content only with the right bytes."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable
from contextlib import suppress

import httpx

from trainyard.dataset_results import Upload
from trainyard.errors import Conflict, DamagedUpload, NotFound, TooManyRequests, Unreachable, YardFailed
from trainyard.folder_tar import ByteSource
from trainyard.transport import Transport, decode

PART_BYTES = 8 << 20
_PATH = "/api/v1/uploads"
_PART = "application/offset+octet-stream"
_TRIES = 8
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0
_CHECK_S = 900.0
"""The last part is answered only when the yard has read all bytes once more."""

Tell = Callable[[int, int], None]
"""Told how many bytes are there, of how many."""


def upload(transport: Transport, source: ByteSource, *, tell: Tell = lambda done, of: None) -> Upload:
    """Send all bytes of a source; an upload of the same name and size that broke off is taken up again.

    Args:
        transport: to the yard.
        source: what to send.
        tell: told how far it is.

    Raises:
        DamagedUpload: the yard has other bytes than were read here; they are dropped.
        SourceChanged: the source changed while it was sent.
    """
    return _Sender(transport, source, tell).send()


class _Sender:
    def __init__(self, transport: Transport, source: ByteSource, tell: Tell) -> None:
        self._transport = transport
        self._source = source
        self._tell = tell
        self._digest = hashlib.sha256()
        self._hashed = 0
        """So many bytes from the start are in the digest."""

    def send(self) -> Upload:
        begun = self._find() or self._begin()
        offset, failures = begun.offset, 0
        while offset < self._source.size_bytes:
            self._tell(offset, self._source.size_bytes)
            try:
                if failures:
                    offset = self._ask(begun)
                offset, failures = self._send_part(begun, offset), 0
            except (Unreachable, TooManyRequests, YardFailed, Conflict) as error:
                failures += 1
                if failures >= _TRIES:
                    raise
                time.sleep(_pause_s(error, failures))
        self._tell(offset, self._source.size_bytes)
        return self._verified(begun)

    def _find(self) -> Upload | None:
        """One's own upload of this name and size that is not whole."""
        listed = self._transport.read(_PATH, params={"limit": 200})["items"]
        for found in (Upload.model_validate(item) for item in listed):
            if (found.name, found.size_bytes, found.sha256) == (self._source.name, self._source.size_bytes, None):
                return found
        return None

    def _begin(self) -> Upload:
        body = {"name": self._source.name, "size_bytes": self._source.size_bytes}
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        return Upload.model_validate(decode(self._transport.send("POST", _PATH, json=body, headers=headers)))

    def _send_part(self, begun: Upload, offset: int) -> int:
        """Send what comes at this offset, if anything does; the next offset."""
        self._hash_up_to(offset)
        part = self._source.read(offset, PART_BYTES)
        if not part:
            return offset
        reply = self._transport.send(
            "PATCH",
            begun.address,
            content=part,
            headers={"Upload-Offset": str(offset), "Content-Type": _PART},
            repeatable=False,
            timeout=httpx.Timeout(60.0, connect=5.0, read=_CHECK_S),
        )
        self._digest.update(part)
        self._hashed += len(part)
        return int(reply.headers["Upload-Offset"])

    def _hash_up_to(self, offset: int) -> None:
        """Read what was sent earlier, or came although its reply got lost."""
        if offset < self._hashed:
            self._digest, self._hashed = hashlib.sha256(), 0
        while self._hashed < offset:
            data = self._source.read(self._hashed, min(PART_BYTES, offset - self._hashed))
            self._digest.update(data)
            self._hashed += len(data)

    def _ask(self, begun: Upload) -> int:
        return int(self._transport.send("HEAD", begun.address).headers["Upload-Offset"])

    def _verified(self, begun: Upload) -> Upload:
        self._hash_up_to(self._source.size_bytes)
        whole = Upload.model_validate(self._transport.read(begun.address))
        if whole.sha256 == self._digest.hexdigest():
            return whole
        with suppress(NotFound):
            self._transport.send("DELETE", begun.address)
        raise DamagedUpload(
            f"The yard has other bytes of {self._source.name} than lie here, perhaps of an earlier try. "
            "They were dropped; send it again."
        )


def _pause_s(error: Exception, failures: int) -> float:
    asked = error.retry_after_s if isinstance(error, TooManyRequests) else 0.0
    return max(asked, min(_FIRST_PAUSE_S * 2.0**failures, _LONGEST_PAUSE_S))
