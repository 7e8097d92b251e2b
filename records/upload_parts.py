"""The bytes of uploads under way: one growing file each, on the disk of the blobs, so that a whole one becomes a blob
by a rename.

The size of the file is the truth about how much has come. Every write checks it under a lock that is held for that
write alone: of two senders at the same offset one goes on, and a connection that broke unnoticed hinders nobody.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from records.blobs import Blob, Blobs
from records.errors import DiskFull, UploadDamaged, WrongOffset

UPLOAD_ID = re.compile(r"[0-9a-f]{32}")
"""What an upload's id looks like, and the name of its file."""


class UploadParts:
    """The files of uploads that are not whole yet.

    Args:
        blobs: what a whole one becomes a part of.
    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self.folder = blobs.parts_folder

    def size(self, upload_id: str) -> int:
        """How many bytes have come; 0 before the first."""
        try:
            return self._path(upload_id).stat().st_size
        except FileNotFoundError:
            return 0

    @contextmanager
    def writing(self, upload_id: str, offset: int) -> Iterator[Writer]:
        """Write behind the first `offset` bytes. What was written is on the disk when this ends, however it does.

        Raises:
            WrongOffset: another number of bytes has come.
            DiskFull: there is no room for more; what came before stays.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        fd = os.open(self._path(upload_id), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            yield Writer(fd, offset)
        finally:
            try:
                os.fsync(fd)
            finally:
                os.close(fd)

    def become_blob(self, upload_id: str, *, expected: str | None = None) -> Blob:
        """Store a whole upload as a blob.

        Args:
            upload_id: its id.
            expected: the SHA-256 that its bytes must have.

        Raises:
            UploadDamaged: they have another; what came is dropped.
            FileNotFoundError: somebody else has just stored it.
            BlobUnavailable: moving failed.
        """
        path = self._path(upload_id)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if expected is not None and digest != expected:
            self.delete(upload_id)
            raise UploadDamaged(
                f"The bytes of this upload hash to {digest[:12]}…, not to {expected[:12]}… as was announced. "
                "They were dropped; send it again from byte 0."
            )
        return self._blobs.take_file(path, digest)

    def delete(self, upload_id: str) -> None:
        """Drop what has come; nothing is fine."""
        self._path(upload_id).unlink(missing_ok=True)

    def ids(self, *, untouched_since: float) -> list[str]:
        """The uploads with a file that was last written before this time, in seconds since 1970."""
        try:
            found = [path for path in self.folder.iterdir() if UPLOAD_ID.fullmatch(path.name)]
        except FileNotFoundError:
            return []
        return sorted(path.name for path in found if _is_older(path, untouched_since))

    def _path(self, upload_id: str) -> Path:
        if not UPLOAD_ID.fullmatch(upload_id):
            raise ValueError(f"{upload_id!r} is no upload's id")
        return self.folder / upload_id


class Writer:
    """Adds to one file, and notices when somebody else does."""

    def __init__(self, fd: int, offset: int) -> None:
        self._fd = fd
        self.offset = offset
        """How many bytes are there."""
        self.write(b"")

    def write(self, data: bytes) -> None:
        """Add bytes. Raises as `UploadParts.writing` does."""
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        try:
            size = os.fstat(self._fd).st_size
            if size != self.offset:
                raise WrongOffset(size)
            _write_all(self._fd, data, at=size)
            self.offset += len(data)
        finally:
            fcntl.flock(self._fd, fcntl.LOCK_UN)


def _write_all(fd: int, data: bytes, *, at: int) -> None:
    rest, done = memoryview(data), at
    try:
        while rest:
            count = os.pwrite(fd, rest, done)
            rest, done = rest[count:], done + count
    except OSError as error:
        os.ftruncate(fd, at)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull("No room on the yard's disk for more of this upload. Ask whoever runs it.") from error
        raise


def _is_older(path: Path, time: float) -> bool:
    try:
        return path.stat().st_mtime < time
    except FileNotFoundError:
        return False
