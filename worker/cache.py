"""Folders in the cache: stamped when their files are known to be right, locked while they are made or used.

A stamp holds each file's size and time, so that files need not be read again to be trusted. The lock is that of a file
beside the folder (`records.locks`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_STAMP = "verified.json"


@dataclass(frozen=True)
class Stamp:
    """What was known of a folder when its files were last verified."""

    sha256: str
    """Of the whole."""
    source: str
    """Where they came from, for people."""
    files: Mapping[str, tuple[int, int]]
    """Size in bytes and time in nanoseconds of each."""

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(size for size, _ in self.files.values())

    def holds(self, folder: Path, sha256: str) -> bool:
        """Whether every file is as it was, and they are these."""
        try:
            return self.sha256 == sha256 and all(_state(folder / name) == state for name, state in self.files.items())
        except OSError:
            return False


def write_stamp(folder: Path, names: Iterable[str], *, sha256: str, source: str) -> None:
    """Vouch for files that have just been verified."""
    files = {name: _state(folder / name) for name in names}
    part = folder / f"{_STAMP}.part"
    part.write_text(json.dumps({"sha256": sha256, "source": source, "files": files}))
    part.replace(folder / _STAMP)


def read_stamp(folder: Path) -> Stamp | None:
    """The folder's stamp; None without one that makes sense."""
    try:
        read: dict[str, Any] = json.loads((folder / _STAMP).read_bytes())
        files = {str(name): (int(size), int(at)) for name, (size, at) in read["files"].items()}
        return Stamp(str(read["sha256"]), str(read["source"]), files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def lock_of(folder: Path) -> Path:
    """The file whose lock is the folder's."""
    return folder.with_name(f"{folder.name}.lock")


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
