"""Fetches what an attempt needs from several sources, and accepts it only with the right hashes. Kept in the cache."""

from __future__ import annotations

import errno
import hashlib
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from records.errors import DiskFull, PermanentJobError
from records.locks import hold
from worker.cache import lock_of, read_stamp, write_stamp
from worker.sources import Check, NoDelivery, Source

Tell = Callable[[str], None]
"""Takes a line for the job's log."""


@dataclass(frozen=True)
class Wanted:
    """Files that belong together, and what is accepted as them."""

    what: str
    """For an error: `dataset 'mnist'`."""
    title: str
    files: Mapping[str, str]
    """By name, `sha256:…` or `md5:…`."""
    missing: type[PermanentJobError]
    """Raised when no source has them."""
    advice: str
    """For that error: where to put the files."""

    @property
    def digest(self) -> str:
        """One SHA-256 for all of it: over the lines `hash  name`, in the order of the names."""
        lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(self.files.items()))
        return hashlib.sha256(lines.encode()).hexdigest()


def fetch_verified(wanted: Wanted, folder: Path, sources: Sequence[Source], *, tell: Tell, check: Check) -> str:
    """Make `folder` hold the wanted files, and nothing else but their stamp; returns the source that they came from.

    Whoever comes first fetches; others that want the same wait for it, in this process or another.

    Args:
        wanted: what to bring.
        folder: where it is kept; verified files that lie there already are not asked for again.
        sources: where to look, in this order.
        tell: hears how the fetch goes.
        check: raises to give up.

    Raises:
        PermanentJobError: `wanted.missing`, when no source answered with the right bytes; the text says what was tried.
        DiskFull: there is no room for them.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with hold(lock_of(folder), check):
        return _verified_source(wanted, folder) or _fetch(wanted, folder, sources, tell=tell, check=check)


def _fetch(wanted: Wanted, folder: Path, sources: Sequence[Source], *, tell: Tell, check: Check) -> str:
    reasons = []
    for source in sources:
        check()
        tell(f"Fetching {wanted.title}: {source.name} …")
        began = time.monotonic()
        with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as place:
            try:
                source.deliver(Path(place), check)
                _verify(wanted, Path(place))
            except (NoDelivery, httpx.HTTPError, OSError) as error:
                if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise DiskFull(f"No room on the disk for the {wanted.what} in {folder.parent}.") from error
                reasons.append(f"{source.name}: {str(error) or type(error).__name__}")
                tell(f"Not from there: {reasons[-1]}.")
                continue
            _install(wanted, Path(place), folder, source.name)
        tell(f"{wanted.title} fetched and verified in {time.monotonic() - began:.1f} s.")
        return source.name
    tried = "; ".join(reasons) or "nothing, as there is nowhere to look"
    raise wanted.missing(f"No source of the {wanted.what} delivered the right bytes. Tried {tried}. {wanted.advice}")


def _verify(wanted: Wanted, folder: Path) -> None:
    for name, expected in wanted.files.items():
        if not (folder / name).is_file():
            raise NoDelivery(f"it did not bring {name}")
        kind, _, digest = expected.partition(":")
        found = _hash(folder / name, kind)
        if found != digest:
            shown = {"sha256": "SHA-256", "md5": "MD5"}[kind]
            raise NoDelivery(f"{name} has the {shown} {found[:12]}…, expected {digest[:12]}…")


def _install(wanted: Wanted, delivered: Path, folder: Path, source: str) -> None:
    """Make a verified delivery the folder: whole, with its stamp, or not at all."""
    ready = folder.with_name(f".{folder.name}.ready")
    shutil.rmtree(ready, ignore_errors=True)
    ready.mkdir()
    for name in wanted.files:
        (delivered / name).chmod(0o444)
        (delivered / name).rename(ready / name)
    write_stamp(ready, wanted.files, sha256=wanted.digest, source=source)
    shutil.rmtree(folder, ignore_errors=True)
    ready.rename(folder)


def _verified_source(wanted: Wanted, folder: Path) -> str | None:
    """The source of files that are there and right; None when they must be fetched.

    Files whose sizes and times are those of the stamp are not read again.
    """
    stamp = read_stamp(folder)
    if stamp is None:
        return None
    if set(stamp.files) == set(wanted.files) and stamp.holds(folder, wanted.digest):
        return stamp.source
    try:
        _verify(wanted, folder)
    except (OSError, NoDelivery):
        return None
    write_stamp(folder, wanted.files, sha256=wanted.digest, source=stamp.source)
    return stamp.source


def _hash(path: Path, kind: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=kind != "md5")).hexdigest()
