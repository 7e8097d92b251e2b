"""Reading a tar from front to back: POSIX ustar and pax, and GNU's long names.

Sparse files, devices and links are named, never followed; only names and sizes are read from headers.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from ml.intake.archives.entries import PART_BYTES, Entry, Kind, no_parts
from ml.intake.refusals import SetRefused

BLOCK = 512
LARGEST_HEADER_BYTES = 2**20
"""Of one long name, or one set of pax records."""
MOST_HEADERS = 8
"""Long names and pax records before one entry."""
REGULAR = (b"0", b"\0", b"7")
SPARSE = b"S"
KINDS: dict[bytes, Kind] = {b"1": "link", b"2": "link", b"5": "folder"}
WITHOUT_CONTENT = (b"1", b"2", b"3", b"4", b"5", b"6")
LONG_NAME, LONG_LINK, PAX, PAX_GLOBAL = b"L", b"K", b"x", b"g"


class Stream(Protocol):
    """Bytes from front to back."""

    def read(self, size: int) -> bytes: ...


@dataclass
class _Header:
    """Of one entry, with what the headers before it say."""

    name: bytes
    size: int
    form: bytes
    sparse: bool


class TarSource:
    """An opened tar.

    Args:
        file: the archive as it lies on the disk; closed by `close`, and asked how far reading is.
        stream: its unpacked bytes.
    """

    def __init__(self, file: BinaryIO, stream: Stream) -> None:
        self._file = file
        self._stream = stream
        self._length = os.fstat(file.fileno()).st_size

    def entries(self) -> Iterator[Entry]:
        """All entries as they come."""
        first = True
        while (header := self._next_header(first=first)) is not None:
            first = False
            content = self._content(header)
            yield self._entry(header, content)
            for _ in content:  # what nobody wanted
                pass

    def progress(self) -> tuple[int, int]:
        """Packed bytes."""
        return min(self._file.tell(), self._length), self._length

    def close(self) -> None:
        self._file.close()

    def _entry(self, header: _Header, content: Iterator[bytes]) -> Entry:
        kind: Kind = KINDS.get(header.form, "special")
        if header.form in REGULAR and not header.sparse:
            kind = "folder" if header.name.endswith(b"/") else "file"
        parts = (lambda: content) if kind == "file" else no_parts
        return Entry(header.name, ("utf-8",), kind, header.size, parts)

    def _content(self, header: _Header) -> Iterator[bytes]:
        left = 0 if header.form in WITHOUT_CONTENT else header.size
        padding = -left % BLOCK
        while left:
            part = self._exactly(min(left, PART_BYTES))
            left -= len(part)
            yield part
        self._exactly(padding)

    def _next_header(self, *, first: bool) -> _Header | None:
        """The next entry's header; None after the block of zeros that ends a tar."""
        name: bytes | None = None
        records: dict[str, bytes] = {}
        for _ in range(MOST_HEADERS):
            block = self._stream.read(BLOCK)
            if block == bytes(BLOCK) and not first:
                return None
            header = _parse(block, first=first)
            first = False
            if header.form in (LONG_NAME, LONG_LINK):
                text = self._text(header)
                name = text.rstrip(b"\0") if header.form == LONG_NAME else name
            elif header.form in (PAX, PAX_GLOBAL):
                text = self._text(header)
                records |= _parse_pax(text) if header.form == PAX else {}
            else:
                return _complete(header, name, records)
        raise _senseless("an entry has too many headers")

    def _text(self, header: _Header) -> bytes:
        if header.size > LARGEST_HEADER_BYTES:
            raise _senseless(f"a header claims to be {header.size:,} bytes")
        text = self._exactly(header.size)
        self._exactly(-header.size % BLOCK)
        return text

    def _exactly(self, size: int) -> bytes:
        part = self._stream.read(size)
        if len(part) < size:
            raise _truncated()
        return part


def _parse(block: bytes, *, first: bool) -> _Header:
    if len(block) == BLOCK and _checksum_is_right(block):
        name = block[0:100].partition(b"\0")[0]
        if block[257:263] == b"ustar\0" and (prefix := block[345:500].partition(b"\0")[0]):
            name = prefix + b"/" + name
        form = block[156:157]
        return _Header(name, _number(block[124:136]), form, sparse=form == SPARSE)
    if first:
        raise SetRefused("not_an_archive", "Expected a zip or a tar, got a file that is neither. Pack a folder as zip.")
    if len(block) < BLOCK:
        raise _truncated()
    raise _senseless("a header is damaged")


def _complete(header: _Header, name: bytes | None, records: dict[str, bytes]) -> _Header:
    """The header with what its pax records and long name say instead."""
    header.name = records.get("path", name if name is not None else header.name)
    if "size" in records:
        header.size = _decimal(records["size"])
    header.sparse = header.sparse or any(key.startswith("GNU.sparse.") for key in records)
    return header


def _parse_pax(text: bytes) -> dict[str, bytes]:
    """Records of the form `LENGTH KEY=VALUE\\n`, where the length counts the whole record."""
    records = {}
    while text:
        digits, space, _ = text.partition(b" ")
        length = _decimal(digits[:20])
        record = text[len(digits) + 1 : length]
        if not space or length > len(text) or not record.endswith(b"\n") or b"=" not in record:
            raise _senseless("its pax records are damaged")
        key, _, value = record[:-1].partition(b"=")
        records[key.decode("utf-8", "replace")] = value
        text = text[length:]
    return records


def _checksum_is_right(block: bytes) -> bool:
    try:
        claimed = int(block[148:156].strip(b"\0 ") or b"0", 8)
    except ValueError:
        return False
    return claimed == sum(block[:148]) + 8 * 0x20 + sum(block[156:])


def _number(field: bytes) -> int:
    """Octal digits, or GNU's binary form whose first bit is set."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    try:
        return int(field.partition(b"\0")[0].strip() or b"0", 8)
    except ValueError:
        raise _senseless("a size is not a number") from None


def _decimal(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > 20:
        raise _senseless("its pax records are damaged")
    return int(digits)


def _truncated() -> SetRefused:
    return SetRefused("archive_truncated", "The tar ends too early. Pack it and send it again.")


def _senseless(what: str) -> SetRefused:
    return SetRefused("archive_broken", f"The tar makes no sense: {what}. Pack it again.")
