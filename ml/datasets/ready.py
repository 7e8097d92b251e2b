"""Pictures of one size in a file, each in a place of its own, so that no photograph is decoded twice on a machine.

A folder holds `pictures`, raw values one picture after the other, mapped by whoever trains on them; and `state`, one
byte a picture. The file is sparse: places that nobody filled take no room. It is shared by all jobs and processes of
the machine; one at a time fills it. Its folder may be removed at any time by who keeps the cache small: those who have
it open are not disturbed, and the next one begins anew.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ml.sizing import Sizing
from records.errors import DiskFull
from records.locks import hold

LOCK = ".lock"
"""In the cache: held while a folder is opened, made or removed."""
FORM = 1
"""Grows when the same photographs would come out otherwise: what lies in a cache is then made anew."""
EMPTY, WRITTEN, KEPT = 0, 1, 2
"""States of a place. What is only written is in the system's hands: it counts until the machine starts anew."""
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class ReadyPictures:
    """The pictures of one dataset in one frame; use it as a context. What `read` gave stays good afterwards.

    Args:
        cache: a folder for any number of these.
        digest: of the dataset.
        sizing: how its photographs come into the frame.
        count: photographs in the dataset.
    """

    def __init__(self, cache: Path, *, digest: str, sizing: Sizing, count: int) -> None:
        self._folder = cache / _name(digest, sizing, count)
        self._sizing = sizing
        self._count = count
        cache.mkdir(parents=True, exist_ok=True)
        with hold(cache / LOCK):
            if not self._folder.is_dir():
                self._make()
            os.utime(self._folder)  # says when it was used last
            self._pictures = (self._folder / "pictures").open("r+b", buffering=0)
            self._state = np.memmap(self._folder / "state", np.uint8, mode="r+", shape=(count,))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pictures.close()

    @contextmanager
    def filling(self, check: Callable[[], None]) -> Iterator[None]:
        """Be the only one that fills it; `check` is called while another does, and raises to give up."""
        lock = self._folder.with_name(f".{self._folder.name}.lock")
        with hold(lock, check):
            self._forget_unkept()
            yield

    def missing(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of these places that nobody filled yet."""
        return rows[self._state[rows] == EMPTY]

    def write(self, rows: NDArray[np.int64], pictures: NDArray[np.uint8]) -> None:
        """Fill these places.

        Raises:
            DiskFull: there is no room.
        """
        size = self._sizing.picture_bytes
        try:
            for row, picture in zip(rows, pictures, strict=True):
                _write_all(self._pictures.fileno(), memoryview(picture).cast("B"), int(row) * size)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise DiskFull(
                f"Expected room for {self._count:,} pictures of {size:,} bytes in {self._folder.parent}, but the disk "
                "or quota is full. Free some, or choose a smaller image_size."
            ) from error
        self._state[rows] = WRITTEN

    def keep(self) -> threading.Thread:
        """Bring what was written to the disk, in the background; the thread need not be waited for."""
        rows = np.flatnonzero(self._state == WRITTEN)
        thread = threading.Thread(target=self._sync, args=(rows,), name="keep-pictures", daemon=True)
        thread.start()
        return thread

    def read(self) -> NDArray[np.uint8]:
        """All places, `[count, height, width, channels]`, mapped and read-only; empty ones are black."""
        shape = (self._count, *self._sizing.shape)
        return np.memmap(self._pictures, np.uint8, mode="r", shape=shape).view(np.ndarray)

    def _make(self) -> None:
        """Whole or not at all."""
        part = self._folder.with_name(f".{self._folder.name}.part")
        part.mkdir(exist_ok=True)
        with (part / "pictures").open("wb") as file:
            file.truncate(self._count * self._sizing.picture_bytes)
        (part / "state").write_bytes(bytes(self._count))
        (part / "boot").write_text(_boot())
        part.rename(self._folder)

    def _forget_unkept(self) -> None:
        """After a start of the machine nobody knows what of the written has reached the disk."""
        boot = self._folder / "boot"
        if boot.is_file() and boot.read_text() != _boot():
            self._state[self._state == WRITTEN] = EMPTY
            boot.write_text(_boot())

    def _sync(self, rows: NDArray[np.int64]) -> None:
        with suppress(FileNotFoundError), (self._folder / "pictures").open("rb") as file:  # it may be gone by now
            os.fsync(file.fileno())
            self._state[rows] = KEPT
            self._state.flush()


def _name(digest: str, sizing: Sizing, count: int) -> str:
    told = json.dumps([FORM, digest, count, *sizing.shape, sizing.whole])
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _write_all(fd: int, data: memoryview, offset: int) -> None:
    while data:
        written = os.pwrite(fd, data, offset)
        data, offset = data[written:], offset + written


def _boot() -> str:
    """What changes when the machine starts anew; a name that never matches where the system does not tell."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return f"unknown-{os.urandom(8).hex()}"
