"""Unpacking: the content of every file goes into a spool of ours, or the file is named with the reason why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from ml.intake.archives import Entry, open_source
from ml.intake.archives.names import CleanName, clean_name, shown
from ml.intake.problems import Problems
from ml.intake.refusals import FileProblem
from ml.intake.sniffing import (
    ARCHIVE_EXTENSIONS,
    EXTENSIONS,
    HEAD_BYTES,
    OTHER_EXTENSIONS,
    archive_kind,
    extension,
    image_format,
)
from ml.intake.spool import Piece, Spool
from records.intake import IntakeLimits

JUNK_FILES = {"thumbs.db", "desktop.ini", "icon\r"}
JUNK_FOLDERS = {"__macosx", "@eadir"}
COMPANIONS = {"txt", "md", "rst", "csv", "tsv", "json", "xml", "yaml", "yml", "pdf", "html", "htm", "py", "mat", "log"}
"""What people keep beside images; no images, and no harm."""
COMPANION_NAMES = {"readme", "licence", "license", "copying", "citation", "checksums", "md5sums", "sha256sums"}
MOST_IGNORED_NAMES = 100
NEEDED = ("csv", "txt")
"""Companions that are read: labels and class names."""


@dataclass(frozen=True)
class GatheredFile:
    """One file of the set, at rest."""

    name: str
    """As `clean_name` gives it."""
    content: Piece
    head: bytes
    """Its first bytes."""

    @property
    def is_image(self) -> bool:
        """Whether it is an image, or claims to be one."""
        end = extension(self.name)
        return end in EXTENSIONS or end in OTHER_EXTENSIONS or image_format(self.head) is not None


@dataclass
class Gathered:
    """What an archive held."""

    files: list[GatheredFile] = field(default_factory=list)
    """In the order of their names."""
    entries: int = 0
    bytes: int = 0
    ignored: int = 0
    ignored_names: list[str] = field(default_factory=list)

    def ignore(self, name: str) -> None:
        """Count a file that is no image and no harm."""
        self.ignored += 1
        if len(self.ignored_names) < MOST_IGNORED_NAMES:
            self.ignored_names.append(shown(name))


def gather(
    source: Path,
    spool: Spool,
    limits: IntakeLimits,
    *,
    gathered: Gathered,
    problems: Problems,
    tell: Callable[[int, int], None],
) -> None:
    """Read an archive once, from front to back.

    Args:
        source: an archive or a folder.
        spool: takes the content of the files.
        limits: of a set.
        gathered: takes what is found, also where the set is refused half-way.
        problems: takes what is wrong with single entries.
        tell: hears how far it is.

    Raises:
        SetRefused: it is no archive, is broken, or passes a limit.
    """
    opened, meter = open_source(source, limits)
    names: set[str] = set()
    with closing(opened):
        try:
            for entry in opened.entries():
                meter.count_entry()
                _take_entry(entry, spool, limits, names, gathered, problems)
                tell(*opened.progress())
            _, of = opened.progress()
            tell(of, of)
        finally:
            gathered.entries, gathered.bytes = meter.entries, meter.bytes
    gathered.files.sort(key=lambda file: file.name)


def _take_entry(
    entry: Entry, spool: Spool, limits: IntakeLimits, names: set[str], gathered: Gathered, problems: Problems
) -> None:
    if entry.kind == "folder":
        return
    name: CleanName | None = None
    try:
        name = clean_name(entry.name, entry.encodings)
        if _is_junk(name.path):
            gathered.ignore(name.path)
            return
        _check(entry, name.path, names)
        names.add(name.path)
        file = _store(entry, name.path, spool, limits)
    except FileProblem as problem:
        problems.add(name.path if name else entry.name, problem.code, problem.text)
        return
    if not file.is_image and extension(name.path) not in NEEDED:
        if _is_companion(name.path):
            gathered.ignore(name.path)
        else:
            problems.add(name.path, "not_an_image", "The file is no image. Leave it out.")
        return
    if name.odd:
        problems.add_odd(name.path, "odd_name", f"The name is unusual: {name.odd}. The file is in the set.")
    gathered.files.append(file)


def _check(entry: Entry, name: str, names: set[str]) -> None:
    """Refuse what is no plain file, or is one that came already."""
    if entry.kind == "link":
        raise FileProblem("link", "The entry is a link. Pack the file that it points to.")
    if entry.kind == "special":
        raise FileProblem("special_file", "The entry is a device, a pipe or a sparse file. Leave it out.")
    if entry.kind == "encrypted":
        raise FileProblem("encrypted", "The entry is encrypted. Pack the files without a password.")
    if entry.kind == "packed_unknown":
        raise FileProblem("packing_unknown", "The entry is packed in an unusual way. Pack a plain zip (deflate).")
    if not name:
        raise FileProblem("bad_name", "The entry has no name. Pack the archive again.")
    if name in names:
        raise FileProblem("duplicate_name", "Another entry has the same name. Only the first one counts.")
    if extension(name) in ARCHIVE_EXTENSIONS:
        raise _nested(extension(name))


def _store(entry: Entry, name: str, spool: Spool, limits: IntakeLimits) -> GatheredFile:
    """Keep the content; what is refused on the way is not kept."""
    head = bytearray()
    content = spool.add_parts(_checked(entry, head, limits))
    return GatheredFile(name, content, bytes(head))


def _checked(entry: Entry, head: bytearray, limits: IntakeLimits) -> Iterator[bytes]:
    """The parts of the content, as long as they are no archive's and not too many; `head` gets the first bytes."""
    size = 0
    for part in entry.parts():
        size += len(part)
        if size > limits.largest_file_bytes:
            raise FileProblem(
                "file_too_large",
                f"The file is larger than the {limits.largest_file_bytes / 1e6:,.4g} MB that one may have.",
            )
        head += part[: HEAD_BYTES - len(head)]
        yield part
    if kind := archive_kind(bytes(head)):
        raise _nested(kind)
    if not size:
        raise FileProblem("empty_file", "The file is empty.")


def _nested(kind: str) -> FileProblem:
    return FileProblem(
        "nested_archive", f"The file is an archive itself ({kind}), which is not opened. Unpack it first."
    )


def _is_junk(name: str) -> bool:
    parts = name.lower().split("/")
    hidden = any(part.startswith(".") for part in parts)
    return hidden or parts[-1] in JUNK_FILES or any(part in JUNK_FOLDERS for part in parts[:-1])


def _is_companion(name: str) -> bool:
    base = name.lower().rsplit("/", 1)[-1]
    return extension(name) in COMPANIONS or base.partition(".")[0] in COMPANION_NAMES
