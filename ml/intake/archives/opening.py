"""Which kind of archive a file is, by its first bytes."""

from __future__ import annotations

from pathlib import Path

from ml.intake.archives.entries import Source
from ml.intake.archives.folders import FolderSource
from ml.intake.archives.meter import Meter
from ml.intake.archives.tars import TarSource
from ml.intake.archives.unpackers import UNPACKERS, PackedStream, PlainStream
from ml.intake.archives.zips import ZipSource
from ml.intake.refusals import SetRefused
from ml.intake.sniffing import HEAD_BYTES, archive_kind
from records.intake import IntakeLimits


def open_source(path: Path, limits: IntakeLimits) -> tuple[Source, Meter]:
    """The archive or folder, ready to be read once, and what counts what comes out of it. Close the source.

    Raises:
        SetRefused: it is no archive that we take, or its directory is broken or too long.
        OSError: it cannot be opened.
    """
    if path.is_dir():
        meter = Meter(limits, None)
        return FolderSource(path, meter, limits.most_entries), meter
    meter = Meter(limits, path.stat().st_size)
    file = path.open("rb")
    try:
        head = file.read(HEAD_BYTES)
        file.seek(0)
        kind = archive_kind(head)
        if kind == "zip":
            return ZipSource(file, meter, limits.most_entries), meter
        if kind in UNPACKERS:
            return TarSource(file, PackedStream(file, kind, meter)), meter
        if kind is not None:
            raise SetRefused(
                "archive_not_taken",
                f"The archive is a {kind}. Expected a zip, or a tar that is plain or packed with gzip, bzip2 or xz.",
            )
        return TarSource(file, PlainStream(file, meter)), meter
    except BaseException:
        file.close()
        raise
