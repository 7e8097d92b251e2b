"""Lines out of a pipe, whole and bounded: a child that never ends its line cannot fill the parent's memory."""

from __future__ import annotations

import os
from collections.abc import Iterator

_CHUNK = 1 << 16


def read_lines(fd: int, longest: int) -> Iterator[bytes]:
    """Yield the lines of a pipe, without their ends, until the other side is closed; then close this side.

    Of a line of more than `longest` bytes only the first are kept, or those after its last carriage return.
    """
    rest = bytearray()
    with os.fdopen(fd, "rb", buffering=0) as pipe:
        while chunk := pipe.read(_CHUNK):
            *ends, tail = chunk.split(b"\n")
            for end in ends:
                yield _bounded(rest + end, longest)
                rest = bytearray()
            rest = bytearray(_bounded(rest + tail, longest)) if len(rest) + len(tail) > longest else rest + tail
    if rest:
        yield bytes(rest)


def as_on_a_terminal(line: bytes) -> str:
    """What a terminal would show of a line: of a progress bar, which returns to its begin, only the last state."""
    parts = [part for part in line.split(b"\r") if part.strip()]
    return parts[-1].decode(errors="replace").rstrip() if parts else ""


def _bounded(line: bytearray, longest: int) -> bytes:
    if len(line) > longest:
        del line[: line.rfind(b"\r") + 1]
    return bytes(line[:longest])
