"""Packs: the zips that stored images lie in. The same images in the same order give the same bytes."""

from __future__ import annotations

import zipfile
from pathlib import Path
from types import TracebackType

PACK_BYTES = 64 * 10**6
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip knows."""
UNIX, PLAIN_FILE = 3, 0o100644 << 16


class PackWriter:
    """Writes files into packs of about 64 MB, one after the other, without packing them tighter.

    Args:
        folder: where the packs go.
        prefix: `p3` gives `p3-0.zip`, `p3-1.zip` …
    """

    def __init__(self, folder: Path, prefix: str) -> None:
        self._folder = folder
        self._prefix = prefix
        self._number = -1
        self._bytes = 0
        self._zip: zipfile.ZipFile | None = None

    def __enter__(self) -> PackWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._zip:
            self._zip.close()

    def add(self, files: dict[str, bytes]) -> str:
        """Write files that belong together into one pack, and return its name."""
        size = sum(map(len, files.values()))
        if self._zip is None or (self._bytes and self._bytes + size > PACK_BYTES):
            self._begin()
        assert self._zip is not None
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system, entry.external_attr = UNIX, PLAIN_FILE
            self._zip.writestr(entry, content)
        self._bytes += size
        return self._name

    @property
    def _name(self) -> str:
        return f"{self._prefix}-{self._number}.zip"

    def _begin(self) -> None:
        if self._zip:
            self._zip.close()
        self._number += 1
        self._bytes = 0
        self._zip = zipfile.ZipFile(self._folder / self._name, "x", zipfile.ZIP_STORED)
