"""The file format of a checkpoint: named arrays and one JSON object in an .npz, with a SHA-256 over both. No pickle.

A checkpoint is whole or it is not there: it is written under another name, flushed to the disk, then renamed.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from records.errors import DiskFull, ResumeImpossible

FORMAT = "trainyard-checkpoint-1"
META = "meta"
DIGEST = "sha256"


def write_checkpoint(path: Path, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> None:
    """Write `path`, or leave everything as it was.

    Raises:
        DiskFull: there is no room; nothing of it stays behind, and earlier checkpoints are untouched.
    """
    text = json.dumps({"format": FORMAT, **meta}, allow_nan=False).encode()
    stored = {name: np.asarray(array) for name, array in arrays.items()} | {META: np.frombuffer(text, np.uint8)}
    stored[DIGEST] = np.frombuffer(_digest(stored), np.uint8)
    unfinished = path.with_name(path.name + ".part")
    try:
        with unfinished.open("wb") as file:
            np.savez(file, allow_pickle=False, **stored)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
        _sync_folder(path.parent)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        size = sum(array.nbytes for array in stored.values())
        raise DiskFull(
            f"Expected room for a checkpoint of {size:,} bytes in {path.parent}, but the disk or quota is full. "
            "Free some, then retry the job: it goes on from the checkpoint before."
        ) from error


def read_checkpoint(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """The arrays and the JSON object of a checkpoint, proved to be what was written.

    Raises:
        ResumeImpossible: the file is missing, cut off, altered or of another format.
    """
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            stored = {name: file[name] for name in file.files}
        digest = stored.pop(DIGEST).tobytes()
        meta = json.loads(stored[META].tobytes())
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise ResumeImpossible(
            f"Expected a whole checkpoint in {path.name}, but it cannot be read: {error}. Start the job anew."
        ) from error
    if digest != _digest(stored) or meta.get("format") != FORMAT:
        raise ResumeImpossible(
            f"Expected {path.name} to be a checkpoint as it was written ({FORMAT}), but its SHA-256 or format differs. "
            "Start the job anew."
        )
    del stored[META]
    return stored, meta


def verify_checkpoint(path: Path) -> None:
    """Read a checkpoint to its end. Raises ResumeImpossible if it is not what was written."""
    read_checkpoint(path)


def _digest(stored: Mapping[str, NDArray[Any]]) -> bytes:
    """SHA-256 over name, type, shape and bytes of each array, in the order of the names."""
    digest = hashlib.sha256()
    for name, array in sorted(stored.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).data if array.size else b"")
    return digest.digest()


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
