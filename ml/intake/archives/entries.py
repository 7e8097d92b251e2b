"""What an archive, or a folder, is a series of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from ml.intake.refusals import FileProblem

Kind = Literal["file", "folder", "link", "special", "encrypted", "packed_unknown"]
PART_BYTES = 256 * 1024


@dataclass(frozen=True)
class Entry:
    """One entry as the archive names it."""

    name: bytes
    encodings: tuple[str, ...]
    """In which to read the name, in this order."""
    kind: Kind
    size: int
    """As the archive says; never trusted."""
    parts: Callable[[], Iterator[bytes]]
    """The content, once; may raise `FileProblem` (only this entry) or `SetRefused`."""


class Source(Protocol):
    """An opened archive or folder."""

    def entries(self) -> Iterator[Entry]:
        """All entries in the order in which they lie. The content of one must be read before the next is asked for."""
        ...

    def progress(self) -> tuple[int, int]:
        """How far reading is: done, of."""
        ...

    def close(self) -> None: ...


def no_parts() -> Iterator[bytes]:
    """The content of what has none."""
    return iter(())


def broken(what: str) -> FileProblem:
    """One entry whose content is not what the archive promises."""
    return FileProblem("entry_broken", f"Its content in the archive is damaged ({what}). Pack the archive again.")
