"""Stored bytes, addressed by their SHA-256. A blob appears whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from records.errors import BlobUnavailable, DiskFull, JobError

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Blob:
    """The address and the size of stored bytes."""

    sha256: str
    size_bytes: int


class Blobs(Protocol):
    """What every store of blobs can do; `FolderBlobs` says each in full."""

    @property
    def parts_folder(self) -> Path:
        """A folder of this machine for uploads that are not whole yet."""

    def put_file(self, source: Path) -> Blob:
        """Copy a file in."""

    def take_file(self, source: Path, sha256: str) -> Blob:
        """Make a file a blob; it is gone from where it was."""

    def put_passing(self, source: BinaryIO) -> Blob:
        """Store what an open file still holds, for a while."""

    def put_bytes(self, content: bytes) -> Blob:
        """Store bytes."""

    def local(self, sha256: str, folder: Path) -> Path:
        """A file with the blob's bytes; a copy in this folder where the store is elsewhere."""

    def holds(self, sha256: str) -> bool:
        """Whether a blob is there."""

    def open(self, sha256: str) -> BinaryIO:
        """The blob's bytes, from anywhere in them."""

    def fetch(self, sha256: str, target: Path) -> None:
        """Copy a blob out, and check its bytes against its address."""

    def delete(self, sha256: str) -> None:
        """Remove a blob that nothing names any more."""

    def discard(self, sha256: str, *, stored_before: datetime) -> bool:
        """Remove a blob unless somebody has stored the same bytes again since."""

    def free_bytes(self) -> int:
        """Room left where blobs are stored, or pass."""


class FolderBlobs:
    """Blobs in a local folder: `ab/abcdef…`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put_file(self, source: Path) -> Blob:
        """Copy a file in.

        Raises:
            DiskFull: there is no room; nothing of it stays behind.
            BlobUnavailable: reading or writing failed otherwise.
        """
        with foreign_errors(f"store {source.name}"), source.open("rb") as file:
            return self._put(file)

    def take_file(self, source: Path, sha256: str) -> Blob:
        """Make a file of the same disk a blob, without copying it; it is gone from where it was.

        Args:
            source: the file.
            sha256: of its bytes, which the caller has just read.

        Raises:
            FileNotFoundError: it is not there any more.
            DiskFull, BlobUnavailable: moving failed.
        """
        final = self.path(sha256)
        with foreign_errors(f"store {source.name}", but=FileNotFoundError):
            os.utime(source)  # it is as new as one that was copied in: `discard` looks at the time
            size = source.stat().st_size
            final.parent.mkdir(parents=True, exist_ok=True)
            source.replace(final)
        return Blob(sha256, size)

    def put_passing(self, source: BinaryIO) -> Blob:
        """Store what an open file still holds, for a while: nothing waits for the disk, so a power cut may lose it.

        Raises:
            DiskFull: there is no room; nothing of it stays behind.
            BlobUnavailable: reading or writing failed otherwise.
        """
        with foreign_errors("store what came"):
            return self._put(source, lasting=False)

    def put_bytes(self, content: bytes) -> Blob:
        """Store bytes. Raises as `put_file` does."""
        with foreign_errors("store what was made"):
            return self._put(io.BytesIO(content))

    @property
    def parts_folder(self) -> Path:
        """Where uploads lie that are not whole: on the same disk, so that a whole one becomes a blob by a rename."""
        return self.folder / "uploads"

    def local(self, sha256: str, folder: Path) -> Path:
        """A file with the blob's bytes: the stored one itself, so leave it as it is.

        Raises:
            BlobUnavailable: it is not there.
        """
        path = self.path(sha256)
        if not path.exists():
            raise BlobUnavailable(f"Blob {sha256[:12]} is not there.")
        return path

    def path(self, sha256: str) -> Path:
        """Where the blob lies; it may not exist."""
        return self.folder / sha256[:2] / sha256

    def holds(self, sha256: str) -> bool:
        """Whether a blob is there."""
        return self.path(sha256).exists()

    def open(self, sha256: str) -> BinaryIO:
        """The blob's bytes.

        Raises:
            BlobUnavailable: it is not there.
        """
        with foreign_errors(f"read blob {sha256[:12]}"):
            return self.path(sha256).open("rb")

    def fetch(self, sha256: str, target: Path) -> None:
        """Copy a blob out, and check its bytes against its address.

        Raises:
            BlobUnavailable: it is not there, or its bytes are damaged.
            DiskFull: there is no room at the target; nothing of it stays behind.
        """
        try:
            with foreign_errors(f"fetch blob {sha256[:12]}"), self.path(sha256).open("rb") as file:
                digest = copy_and_digest(file, target)
        except JobError:
            target.unlink(missing_ok=True)
            raise
        if digest != sha256:
            target.unlink()
            raise BlobUnavailable(f"Blob {sha256[:12]} is damaged: its bytes hash to {digest[:12]}.")

    def delete(self, sha256: str) -> None:
        """Remove a blob that nothing names any more; absent is fine."""
        self.path(sha256).unlink(missing_ok=True)

    def discard(self, sha256: str, *, stored_before: datetime) -> bool:
        """Remove a blob unless somebody has stored the same bytes again since; whether it is gone.

        It is moved aside first: what is stored meanwhile takes its place, and is not what gets removed.
        """
        path, aside = self.path(sha256), self.folder / f".{secrets.token_hex(8)}.part"
        try:
            path.rename(aside)
        except FileNotFoundError:
            return True
        fresh = aside.stat().st_mtime >= stored_before.timestamp()
        if fresh:
            with suppress(FileExistsError):
                os.link(aside, path)
        aside.unlink()
        return not fresh

    def free_bytes(self) -> int:
        """Room left where blobs are stored."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self.folder).free

    def _put(self, file: BinaryIO, *, lasting: bool = True) -> Blob:
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f".{secrets.token_hex(8)}.part"
        try:
            digest = copy_and_digest(file, part, lasting=lasting)
            size = part.stat().st_size
            final = self.path(digest)
            final.parent.mkdir(exist_ok=True)
            if lasting or not final.exists():
                part.replace(final)
            else:  # what is there may be meant to last
                os.utime(final)
        finally:
            part.unlink(missing_ok=True)
        return Blob(digest, size)


def copy_and_digest(source: BinaryIO, target: Path, *, lasting: bool = True) -> str:
    """Copy, flush to the disk if it is to last, and return the SHA-256 of the bytes."""
    digest = hashlib.sha256()
    with target.open("wb") as file:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
        if lasting:
            file.flush()
            os.fsync(file.fileno())
    return digest.hexdigest()


@contextmanager
def foreign_errors(act: str, *, but: type[OSError] | None = None) -> Iterator[None]:
    """Make the system's errors ours, `but` one kind: what could not be done is `act`."""
    try:
        yield
    except OSError as error:
        if but is not None and isinstance(error, but):
            raise
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"No room on the disk to {act}. Free some, then retry the job.") from error
        raise BlobUnavailable(f"Could not {act}: {error.strerror or error}.") from error
