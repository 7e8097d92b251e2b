"""Brings an attempt's inputs to this machine: verified datasets, and the newest checkpoint that is whole."""

from __future__ import annotations

import errno
import hashlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from records.blobs import FolderBlobs
from records.catalogue import Dataset
from records.errors import BlobUnavailable, DatasetMissing, DiskFull
from records.locks import hold
from records.tables import ArtifactTable
from worker.cache import lock_of, read_stamp, write_stamp
from worker.sources import Check, NoDelivery, Source

Tell = Callable[[str], None]
"""Takes a line for the job's log."""


def stage_dataset(
    dataset: Dataset, cache: Path, sources: list[Source], *, tell: Tell, check: Check
) -> tuple[Path, str]:
    """The folder with the dataset's four plain files, each of the right SHA-256; and which source they came from.

    Whoever comes first fetches; others that want the same wait for it, in this process or another.

    Args:
        dataset: what to stage.
        cache: verified datasets lie in its folder `datasets`.
        sources: where to look, in this order.
        tell: hears how the fetch goes.
        check: raises to give up.

    Raises:
        DatasetMissing: no source answered with the right bytes; the text says what was tried.
    """
    folder = cache / "datasets" / dataset.name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with hold(lock_of(folder), check):
        source = _verified_source(dataset, folder)
        if source is None:
            source = _fetch(dataset, folder, sources, tell=tell, check=check)
    return folder, source


def stage_checkpoint(
    checkpoints: list[ArtifactTable], blobs: FolderBlobs, folder: Path, *, damaged: Callable[[str], None]
) -> Path | None:
    """The newest checkpoint whose bytes are right, or None.

    Args:
        checkpoints: the job's, the newest first.
        blobs: where their bytes lie.
        folder: where to put the file.
        damaged: hears of each that had to be passed over.
    """
    for row in checkpoints:
        try:
            blobs.fetch(row.sha256, folder / row.name)
        except BlobUnavailable as error:
            damaged(f"The checkpoint of step {row.step} cannot be used; falling back to the one before. {error.text}")
        else:
            return folder / row.name
    return None


def _fetch(dataset: Dataset, folder: Path, sources: list[Source], *, tell: Tell, check: Check) -> str:
    reasons = []
    for source in sources:
        check()
        tell(f"Fetching {dataset.title}: {source.name} …")
        began = time.monotonic()
        with TemporaryDirectory(prefix=f".{dataset.name}-", dir=folder.parent) as place:
            try:
                source.deliver(Path(place), check)
                _verify(dataset, Path(place))
            except (NoDelivery, httpx.HTTPError, OSError) as error:
                if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise DiskFull(
                        f"No room on the disk for the dataset {dataset.name!r} in {folder.parent}."
                    ) from error
                reasons.append(f"{source.name}: {str(error) or type(error).__name__}")
                tell(f"Not from there: {reasons[-1]}.")
                continue
            _install(dataset, Path(place), folder, source.name)
        tell(f"{dataset.title} fetched and verified in {time.monotonic() - began:.1f} s.")
        return source.name
    raise DatasetMissing(
        f"No source of the dataset {dataset.name!r} delivered the right bytes. Tried {'; '.join(reasons)}. "
        f"Put the files {', '.join(dataset.files)} (plain, or packed as .gz) into FOLDER/{dataset.name}/ on the "
        "worker's machine, name FOLDER in its environment variable TRAINYARD_DATA, and retry the job."
    )


def _verify(dataset: Dataset, folder: Path) -> None:
    for name, expected in dataset.files.items():
        if not (folder / name).is_file():
            raise NoDelivery(f"it did not bring {name}")
        digest = _sha256(folder / name)
        if digest != expected:
            raise NoDelivery(f"{name} has the SHA-256 {digest[:12]}…, expected {expected[:12]}…")


def _install(dataset: Dataset, delivered: Path, folder: Path, source: str) -> None:
    """Make a verified delivery the dataset's folder: whole, with its stamp, or not at all."""
    ready = folder.with_name(f".{dataset.name}.ready")
    shutil.rmtree(ready, ignore_errors=True)
    ready.mkdir()
    for name in dataset.files:
        (delivered / name).chmod(0o444)
        (delivered / name).rename(ready / name)
    write_stamp(ready, dataset.files, sha256=dataset.sha256, source=source)
    shutil.rmtree(folder, ignore_errors=True)
    ready.rename(folder)


def _verified_source(dataset: Dataset, folder: Path) -> str | None:
    """The source of files that are there and right; None when they must be fetched.

    Files whose sizes and times are those of the stamp are not read again.
    """
    stamp = read_stamp(folder)
    if stamp is None:
        return None
    if set(stamp.files) == set(dataset.files) and stamp.holds(folder, dataset.sha256):
        return stamp.source
    try:
        _verify(dataset, folder)
    except (OSError, NoDelivery):
        return None
    write_stamp(folder, dataset.files, sha256=dataset.sha256, source=stamp.source)
    return stamp.source


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
