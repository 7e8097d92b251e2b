"""A folder as a tar that lies nowhere: its bytes are made as they are asked for, from any place on.

The same folder gives the same bytes, so that an upload that broke off goes on where it stopped.
"""

from __future__ import annotations

import os
import tarfile
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from trainyard.errors import SourceChanged

_BLOCK = 512
_END = 2 * _BLOCK


class ByteSource(Protocol):
    """Bytes of a known number that can be read from any place on."""

    name: str
    """For people, and to find an upload that broke off."""
    size_bytes: int

    def read(self, offset: int, size: int) -> bytes:
        """So many bytes from there; fewer only at the end. Raises SourceChanged."""
        ...


class FileSource:
    """A file as it lies there."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.size_bytes = path.stat().st_size
        self._path = path

    def read(self, offset: int, size: int) -> bytes:
        """So many bytes from there."""
        return _read(self._path, offset, min(size, self.size_bytes - offset))


@dataclass(frozen=True)
class _Member:
    start: int
    """Where its header begins in the tar."""
    header: bytes
    path: Path
    size: int

    @property
    def end(self) -> int:
        """Behind its content, filled up to whole blocks."""
        return self.start + len(self.header) + -(-self.size // _BLOCK) * _BLOCK


class FolderTar:
    """All files below a folder, in the order of their names, without what begins with a dot.

    Links to files count as the files; links to folders are not followed.
    """

    def __init__(self, folder: Path) -> None:
        self.name = f"{folder.resolve().name}.tar"
        self._members = list(_members(folder))
        self._starts = [member.start for member in self._members]
        self.size_bytes = (self._members[-1].end if self._members else 0) + _END

    @property
    def count(self) -> int:
        """How many files there are."""
        return len(self._members)

    def read(self, offset: int, size: int) -> bytes:
        """So many bytes from there."""
        parts, at, end = [], offset, min(offset + size, self.size_bytes)
        while at < end:
            part = self._read_some(at, end - at)
            parts.append(part)
            at += len(part)
        return b"".join(parts)

    def _read_some(self, at: int, most: int) -> bytes:
        """Some bytes from one place, at least one."""
        member = self._members[bisect_right(self._starts, at) - 1] if self._members else None
        if member is None or at >= member.end:
            return bytes(most)  # two empty blocks end a tar
        within = at - member.start
        if within < len(member.header):
            return member.header[within : within + most]
        place = within - len(member.header)
        if place < member.size:
            return _read(member.path, place, min(most, member.size - place))
        return bytes(min(most, member.end - at))


def _members(folder: Path) -> Iterator[_Member]:
    start = 0
    for path in _files(folder):
        entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
        entry.size = path.stat().st_size
        entry.mode = 0o644
        # Nothing else of the file: whose it is and when it was written are not the yard's business.
        header = entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
        member = _Member(start, header, path, entry.size)
        yield member
        start = member.end


def _files(folder: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(where) / name
            if not name.startswith(".") and path.is_file():
                yield path


def _read(path: Path, offset: int, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(size)
    except OSError as error:
        raise SourceChanged(f"{path} cannot be read any more: {error.strerror}.") from error
    if len(data) != size:
        raise SourceChanged(f"{path} became shorter while it was sent. Send it once nobody writes to it.")
    return data
