"""How a decoder and its owner speak over pipes: one line of JSON that tells how many bytes follow, then these."""

from __future__ import annotations

import json
from typing import Any, BinaryIO

LONGEST_LINE = 65_536
SIZE = "bytes"


class BrokenFrame(Exception):
    """Raised when what came is no frame."""


def pack_line(fields: dict[str, Any], size: int) -> bytes:
    """The line that goes before `size` bytes."""
    return json.dumps({**fields, SIZE: size}).encode() + b"\n"


def parse_line(line: bytes, largest: int) -> tuple[dict[str, Any], int]:
    """The fields of a line, and how many bytes follow it.

    Raises:
        BrokenFrame: it is not such a line, or promises more than `largest` bytes.
    """
    try:
        fields = json.loads(line)
        size = fields.pop(SIZE)
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise BrokenFrame(f"expected a line of JSON, got {line[:80]!r}") from error
    if type(size) is not int or not 0 <= size <= largest:
        raise BrokenFrame(f"expected at most {largest} bytes, got {str(size)[:40]}")
    return fields, size


def read_frame(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """The next frame from the owner, who is trusted; None when there is none any more."""
    line = stream.readline()
    if not line:
        return None
    fields, size = parse_line(line, 2**40)
    data = stream.read(size)
    return (fields, data) if len(data) == size else None


def write_frame(stream: BinaryIO, fields: dict[str, Any], data: bytes | memoryview = b"") -> None:
    """Send one frame at once."""
    stream.write(pack_line(fields, len(data)))
    stream.write(data)
    stream.flush()
