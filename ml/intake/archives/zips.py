"""Reading a zip (PKWARE's APPNOTE 6.3.10): its directory first, then the content of each entry.

Refused as a whole: no end record, a directory that makes no sense, entries that share bytes (Fifield 2019, "A better
zip bomb"). Refused one by one: encrypted entries, links, devices, packing methods other than stored, deflate and bzip2.
"""

from __future__ import annotations

import bz2
import os
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ml.intake.archives.entries import PART_BYTES, Entry, Kind, broken, no_parts
from ml.intake.archives.meter import Meter, too_many_entries
from ml.intake.archives.unpackers import Deflate, Unpacker
from ml.intake.refusals import SetRefused

END = struct.Struct("<4s4H2LH")
END64_PLACE = struct.Struct("<4sLQL")
END64 = struct.Struct("<4sQ2H2L4Q")
RECORD = struct.Struct("<4s6H3L5H2L")
LOCAL = struct.Struct("<4s5H3L2H")
LONGEST_COMMENT = 65_535
ALL_16, ALL_32 = 0xFFFF, 0xFFFFFFFF
ENCRYPTED, STRONGLY_ENCRYPTED, IN_UTF8 = 0x1, 0x40, 0x800
STORED, DEFLATED, BZIPPED = 0, 8, 12
UNIX = 3
DIRECTORY_PART_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Record:
    """One entry of the directory."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    """Of its local header, in the file."""
    mode: int
    """Unix's, or 0."""


class ZipSource:
    """An opened zip.

    Args:
        file: the archive; closed by `close`.
        meter: counts what comes out.
        most_entries: a directory with more is refused before it is read to its end.
    """

    def __init__(self, file: BinaryIO, meter: Meter, most_entries: int) -> None:
        self._file = file
        self._meter = meter
        self._done = 0
        self._records = _read_directory(file, most_entries)
        self._starts = _content_starts(file, self._records)

    def entries(self) -> Iterator[Entry]:
        """All entries by their place in the file."""
        for record, start in zip(self._records, self._starts, strict=True):
            yield self._entry(record, start)
            self._done += 1

    def progress(self) -> tuple[int, int]:
        """Entries."""
        return self._done, len(self._records)

    def close(self) -> None:
        self._file.close()

    def _entry(self, record: Record, start: int) -> Entry:
        kind = _kind(record)
        parts = (lambda: self._parts(record, start)) if kind == "file" else no_parts
        encodings = ("utf-8",) if record.flags & IN_UTF8 else ("utf-8", "cp437")
        return Entry(record.name, encodings, kind, record.size, parts)

    def _parts(self, record: Record, start: int) -> Iterator[bytes]:
        crc = size = 0
        for part in self._unpacked(record, start):
            self._meter.count_bytes(len(part))
            crc, size = zlib.crc32(part, crc), size + len(part)
            yield part
        if size != record.size:
            raise broken(f"{record.size:,} bytes are promised, {size:,} came")
        if crc != record.crc:
            raise broken("the checksum is wrong")

    def _unpacked(self, record: Record, start: int) -> Iterator[bytes]:
        if record.method == STORED:
            yield from self._packed(record, start)
            return
        unpacker: Unpacker = Deflate(-zlib.MAX_WBITS) if record.method == DEFLATED else bz2.BZ2Decompressor()
        try:
            for packed in self._packed(record, start):
                rest: bytes = packed
                while rest or not unpacker.needs_input:
                    part = unpacker.decompress(rest, PART_BYTES)
                    rest = b""
                    if part:
                        yield part
                    if unpacker.eof:
                        return
                    if not part and unpacker.needs_input:
                        break
        except (zlib.error, OSError, ValueError, EOFError) as error:
            raise broken(str(error)[:100]) from error
        raise broken("it ends too early")

    def _packed(self, record: Record, start: int) -> Iterator[bytes]:
        left = record.packed
        self._file.seek(start)
        while left:
            part = self._file.read(min(left, PART_BYTES))
            if not part:
                raise broken("it ends too early")
            left -= len(part)
            yield part


def _kind(record: Record) -> Kind:
    form = stat.S_IFMT(record.mode)
    if stat.S_ISLNK(record.mode):
        return "link"
    if form not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "special"
    if record.name.endswith((b"/", b"\\")) or form == stat.S_IFDIR:
        return "folder"
    if record.flags & (ENCRYPTED | STRONGLY_ENCRYPTED):
        return "encrypted"
    return "file" if record.method in (STORED, DEFLATED, BZIPPED) else "packed_unknown"


# ── the directory ────────────────────────────────────────────────────────────────────────────────────────────


def _read_directory(file: BinaryIO, most_entries: int) -> list[Record]:
    """All records in the order of their offsets."""
    start, size, before = _find_directory(file)
    records = []
    for fields, name, extra in _walk(file, start, size):
        if len(records) == most_entries:
            raise too_many_entries(most_entries)
        records.append(_record(fields, name, extra, before))
    return sorted(records, key=lambda record: record.offset)


def _find_directory(file: BinaryIO) -> tuple[int, int, int]:
    """Where the directory starts, its bytes, and how many bytes lie before the archive's own first one."""
    length = file.seek(0, os.SEEK_END)
    tail_bytes = min(length, END.size + LONGEST_COMMENT)
    file.seek(length - tail_bytes)
    tail = file.read(tail_bytes)
    found = tail.rfind(b"PK\5\6")
    if found < 0 or len(tail) - found < END.size:
        raise SetRefused(
            "archive_truncated", "The zip has no end: it was not uploaded or packed whole. Pack it and send it again."
        )
    place = length - tail_bytes + found
    _, _, _, _, count, size, offset, _ = END.unpack_from(tail, found)
    if count == ALL_16 or size == ALL_32 or offset == ALL_32:
        place, size, offset = _find_directory_64(file, place, size, offset)
    start = place - size
    if start < offset:
        raise _senseless("its directory lies elsewhere than its end record says")
    return start, size, start - offset


def _find_directory_64(file: BinaryIO, end: int, size: int, offset: int) -> tuple[int, int, int]:
    """The same from the records of large archives, where there are any."""
    if end < END64_PLACE.size:
        return end, size, offset
    file.seek(end - END64_PLACE.size)
    mark, _, _, _ = END64_PLACE.unpack(file.read(END64_PLACE.size))
    if mark != b"PK\6\7":
        return end, size, offset
    place = end - END64_PLACE.size - END64.size
    if place < 0:
        raise _senseless("its large end record is missing")
    file.seek(place)
    mark, *_, size, offset = END64.unpack(file.read(END64.size))
    if mark != b"PK\6\6":
        raise _senseless("its large end record is missing")
    return place, size, offset


def _walk(file: BinaryIO, start: int, size: int) -> Iterator[tuple[tuple[int, ...], bytes, bytes]]:
    """Fields, name and extra field of each record; a few megabytes in memory at a time."""
    file.seek(start)
    buffer, place, left = b"", 0, size
    while left or place < len(buffer):
        if len(buffer) - place < RECORD.size + 3 * ALL_16 and left:
            more = file.read(min(left, DIRECTORY_PART_BYTES))
            if not more:
                raise _senseless("its directory ends too early")
            buffer, place, left = buffer[place:] + more, 0, left - len(more)
            continue
        if len(buffer) - place < RECORD.size:
            raise _senseless("its directory ends within a record")
        mark, *fields = RECORD.unpack_from(buffer, place)
        names, extras, comments = fields[9:12]
        at = place + RECORD.size
        place = at + names + extras + comments
        if mark != b"PK\1\2" or place > len(buffer):
            raise _senseless("its directory is damaged")
        yield tuple(fields), buffer[at : at + names], buffer[at + names : at + names + extras]


def _record(fields: tuple[int, ...], name: bytes, extra: bytes, before: int) -> Record:
    made_by, _, flags, method, _, _, crc, packed, size, *_, attributes, offset = fields
    size, packed, offset = _large_values(extra, size, packed, offset)
    mode = attributes >> 16 if made_by >> 8 == UNIX else 0
    return Record(name, flags, method, crc, packed, size, before + offset, mode)


def _large_values(extra: bytes, *small: int) -> tuple[int, ...]:
    """Each value that is all ones, replaced by the next one of the extra field 1."""
    if ALL_32 not in small:
        return small
    values = iter(_large_fields(extra))
    try:
        return tuple(next(values) if value == ALL_32 else value for value in small)
    except StopIteration:
        raise _senseless("an entry lacks its large sizes") from None


def _large_fields(extra: bytes) -> tuple[int, ...]:
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, place)
        if kind == 1:
            content = extra[place + 4 : place + 4 + length]
            return struct.unpack_from(f"<{min(len(content) // 8, 3)}Q", content)
        place += 4 + length
    return ()


def _content_starts(file: BinaryIO, records: list[Record]) -> list[int]:
    """Where each entry's content starts; every local header is looked at, and no two entries may share a byte."""
    length = file.seek(0, os.SEEK_END)
    starts = []
    end_before = 0
    for record in records:
        if record.offset < end_before:
            raise SetRefused(
                "overlapping_entries", "Entries of the zip share bytes, as in an archive bomb. Pack it again."
            )
        file.seek(record.offset)
        header = file.read(LOCAL.size)
        if len(header) < LOCAL.size or header[:4] != b"PK\3\4":
            raise _senseless("an entry is not where the directory says")
        names, extras = LOCAL.unpack(header)[-2:]
        if file.read(names) != record.name:
            raise _senseless("an entry has another name than the directory says")
        starts.append(record.offset + LOCAL.size + names + extras)
        end_before = starts[-1] + record.packed
        if end_before > length:
            raise SetRefused("archive_truncated", "The zip ends within an entry. Pack it and send it again.")
    return starts


def _senseless(what: str) -> SetRefused:
    return SetRefused("archive_broken", f"The zip makes no sense: {what}. Pack it again.")
