"""A folder that the server may read, entry by entry. Links are named, never followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from ml.intake.archives.entries import PART_BYTES, Entry, Kind, broken, no_parts
from ml.intake.archives.meter import Meter, too_many_entries
from ml.intake.refusals import SetRefused


class FolderSource:
    """An opened folder, its files in the order of their names."""

    def __init__(self, root: Path, meter: Meter, most_entries: int) -> None:
        self._root = root
        self._meter = meter
        self._done = 0
        self._entries = _count(root, most_entries)

    def entries(self) -> Iterator[Entry]:
        """All entries below the folder."""
        yield from self._below(os.fsencode(self._root), b"")

    def progress(self) -> tuple[int, int]:
        """Entries."""
        return self._done, self._entries

    def close(self) -> None:
        pass

    def _below(self, folder: bytes, prefix: bytes) -> Iterator[Entry]:
        try:
            with os.scandir(folder) as found:
                inside = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            raise SetRefused("not_readable", f"A folder of the set cannot be read: {error.strerror}.") from error
        for entry in inside:
            self._done += 1
            name, path = prefix + entry.name, folder + b"/" + entry.name
            kind = _kind(entry)
            size = entry.stat(follow_symlinks=False).st_size
            yield Entry(name, ("utf-8",), kind, size, self._reader(path) if kind == "file" else no_parts)
            if kind == "folder":
                yield from self._below(path, name + b"/")

    def _reader(self, path: bytes) -> Callable[[], Iterator[bytes]]:
        return lambda: self._parts(path)

    def _parts(self, path: bytes) -> Iterator[bytes]:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise broken(str(error.strerror)) from error
        with open(fd, "rb", buffering=0) as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise broken("it is no plain file any more")
            while part := file.read(PART_BYTES):
                self._meter.count_bytes(len(part))
                yield part


def _count(root: Path, most_entries: int) -> int:
    """All entries below the folder.

    Raises:
        SetRefused: there are too many.
    """
    number = 0
    for _, folders, files in os.walk(root):
        number += len(folders) + len(files)
        if number > most_entries:
            raise too_many_entries(most_entries)
    return number


def _kind(entry: os.DirEntry[bytes]) -> Kind:
    if entry.is_symlink():
        return "link"
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    return "file" if entry.is_file(follow_symlinks=False) else "special"
