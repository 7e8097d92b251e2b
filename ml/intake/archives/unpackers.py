"""Unpacking streams in small parts, so that what comes out can be counted before there is too much of it."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import BinaryIO, Protocol

from ml.intake.archives.entries import PART_BYTES
from ml.intake.archives.meter import Meter
from ml.intake.refusals import SetRefused

XZ_MEMORY_BYTES = 256 * 2**20
"""An xz says how much memory unpacking takes, up to 4 GB; `xz -9` needs 65 MB."""


class Unpacker(Protocol):
    """What `bz2.BZ2Decompressor` and `lzma.LZMADecompressor` have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class Deflate:
    """`zlib` with the same methods.

    Args:
        window_bits: as `zlib.decompressobj` takes them; 31 for gzip, negative for bare deflate.
    """

    def __init__(self, window_bits: int) -> None:
        self._inner = zlib.decompressobj(window_bits)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._full and not self._inner.unconsumed_tail and not self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """At most `max_length` bytes; the rest of the input is kept for the next call."""
        part = self._inner.decompress(self._inner.unconsumed_tail + data, max(max_length, 0))
        self._full = len(part) == max_length
        return part


UNPACKERS: dict[str, Callable[[], Unpacker]] = {
    "gzip": lambda: Deflate(zlib.MAX_WBITS | 16),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY_BYTES),
}


class PlainStream:
    """A file that is not packed, read from front to back and counted."""

    def __init__(self, file: BinaryIO, meter: Meter) -> None:
        self._file = file
        self._meter = meter

    def read(self, size: int) -> bytes:
        """Exactly so many bytes, fewer only at the end."""
        part = self._file.read(size)
        self._meter.count_bytes(len(part))
        return part


class PackedStream:
    """A packed file, unpacked as it is read and counted; several streams one after the other count as one.

    Args:
        file: the packed bytes.
        kind: `gzip`, `bzip2` or `xz`.
        meter: counts what comes out.
    """

    def __init__(self, file: BinaryIO, kind: str, meter: Meter) -> None:
        self._file = file
        self._kind = kind
        self._make = UNPACKERS[kind]
        self._unpacker = self._make()
        self._meter = meter
        self._ready = bytearray()
        self._ended = False

    def read(self, size: int) -> bytes:
        """Exactly so many unpacked bytes, fewer only at the end.

        Raises:
            SetRefused: the stream is cut off or damaged, or a limit is passed.
        """
        while len(self._ready) < size and not self._ended:
            part = self._next_part()
            self._meter.count_bytes(len(part))
            self._ready += part
        part = bytes(self._ready[:size])
        del self._ready[:size]
        return part

    def _next_part(self) -> bytes:
        try:
            if self._unpacker.eof:
                return self._begin_next()
            packed = self._file.read(PART_BYTES) if self._unpacker.needs_input else b""
            if self._unpacker.needs_input and not packed:
                raise SetRefused(
                    "archive_truncated", f"The {self._kind} file ends too early. Pack it and send it again."
                )
            return self._unpacker.decompress(packed, PART_BYTES)
        except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError) as error:
            raise SetRefused(
                "archive_broken", f"The {self._kind} file is damaged ({str(error)[:100]}). Pack it again."
            ) from error

    def _begin_next(self) -> bytes:
        """What follows the end of one stream: another one, or the end of the file. Zeros in between are padding."""
        rest = (self._unpacker.unused_data or self._file.read(PART_BYTES)).lstrip(b"\0")
        while not rest and (more := self._file.read(PART_BYTES)):
            rest = more.lstrip(b"\0")
        if not rest:
            self._ended = True
            return b""
        self._unpacker = self._make()
        return self._unpacker.decompress(rest, PART_BYTES)
