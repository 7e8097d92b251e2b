"""What comes down from the parent process, line by line; and the end of it, which ends this process too."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from queue import SimpleQueue

ORPHANED_EXIT = 1


class ParentLines:
    """The lines of a pipe whose other side the parent keeps open for as long as it lives.

    A thread of its own reads, so that the parent's death is noticed whatever this process is doing; it then ends at
    once. It reads without a buffer of Python's: a daemon thread that holds its lock breaks the end of the process.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lines: SimpleQueue[bytes] = SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def __iter__(self) -> Iterator[bytes]:
        """Each line as it comes, without its end; never stops by itself."""
        while True:
            yield self._lines.get()

    def __next__(self) -> bytes:
        return self._lines.get()

    def _read(self) -> None:
        rest = b""
        with suppress(OSError):
            while part := os.read(self._fd, 65_536):
                *lines, rest = (rest + part).split(b"\n")
                for line in lines:
                    self._lines.put(line)
        os._exit(ORPHANED_EXIT)
