"""One nameless file for all content on its way, instead of a file each: nothing to name, and nothing left behind."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Piece:
    """Some content in a spool."""

    spool: Spool = field(repr=False)
    offset: int
    size: int

    def read(self) -> bytes:
        """All of it; from any thread."""
        return self.spool.read(self.offset, self.size)


class Spool:
    """A file that is gone when it is closed, or when its process ends however it ends.

    Args:
        folder: on whose disk it lies.
    """

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115, `close` closes it
        self._end = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, content: bytes) -> Piece:
        """Keep some content; from any thread."""
        with self._lock:
            piece = Piece(self, self._end, len(content))
            self._end += piece.size
        _write(self._file.fileno(), content, piece.offset)
        return piece

    def add_parts(self, parts: Iterable[bytes]) -> Piece:
        """Keep content that comes in parts. Where they break off, nothing is kept; from one thread only."""
        offset = end = self._end
        for part in parts:
            _write(self._file.fileno(), part, end)
            end += len(part)
        self._end = end
        return Piece(self, offset, end - offset)

    def read(self, offset: int, size: int) -> bytes:
        """So many bytes from there."""
        content = b""
        while len(content) < size and (part := os.pread(self._file.fileno(), size - len(content), offset)):
            content += part
            offset += len(part)
        return content

    def close(self) -> None:
        """Give the room on the disk back; what was kept is lost."""
        self._file.close()


def _write(fd: int, content: bytes, offset: int) -> None:
    rest = memoryview(content)
    while rest:
        written = os.pwrite(fd, rest, offset)
        rest, offset = rest[written:], offset + written
