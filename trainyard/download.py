"""Taking an artifact: goes on where an earlier try broke off, and keeps nothing but the right bytes."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from trainyard.errors import DamagedDownload, Unreachable
from trainyard.results import Artifact
from trainyard.transport import Transport

_PART = ".part"
_CHUNK_BYTES = 1 << 18
_TRIES = 5

Tell = Callable[[int], None]


def download(
    transport: Transport, path: str, artifact: Artifact, target: Path, *, tell: Tell = lambda done: None
) -> None:
    """Write an artifact to `target`. Until it is whole it lies beside it as `target.part`.

    Args:
        transport: to the yard.
        path: of the artifact's bytes.
        artifact: what the yard recorded of it.
        target: the file to write; replaced when it is there.
        tell: told the bytes that are here, now and then.

    Raises:
        DamagedDownload: the bytes are not those that the yard recorded, also when fetched from the start.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + _PART)
    for attempt in range(_TRIES):
        try:
            _fetch(transport, path, artifact, part, tell)
        except Unreachable:
            if attempt == _TRIES - 1:
                raise
            time.sleep(0.2 * 2**attempt)
            continue
        if _sha256(part) == artifact.sha256:
            os.replace(part, target)
            return
        part.unlink()  # what was left of another file, or damaged: once more, from the start
    raise DamagedDownload(f"{artifact.name} came with other bytes than its SHA-256 {artifact.sha256[:12]}… says.")


def _fetch(transport: Transport, path: str, artifact: Artifact, part: Path, tell: Tell) -> None:
    """Add to `part` what it lacks."""
    done = part.stat().st_size if part.exists() else 0
    if done > artifact.size_bytes:
        done = 0
    if done and done == artifact.size_bytes:
        return
    headers = {"Range": f"bytes={done}-", "Accept-Encoding": "identity"} if done else {"Accept-Encoding": "identity"}
    with transport.stream(path, headers=headers) as reply:
        resumed = reply.status_code == httpx.codes.PARTIAL_CONTENT
        with part.open("ab" if resumed else "wb") as file:
            for chunk in reply.iter_bytes(_CHUNK_BYTES):
                file.write(chunk)
                tell(file.tell())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
