"""Brings people's own datasets to this machine: packs from blobs, verified and unpacked, kept while there is room."""

from __future__ import annotations

import errno
import os
import shutil
import time
import zipfile
from collections import defaultdict
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from records.blobs import Blobs
from records.errors import DatasetUnreadable, DiskFull
from records.image_sets import StoredVersion
from records.intakes import MANIFEST
from records.locks import hold, hold_if_free
from worker.cache import lock_of, read_stamp, write_stamp
from worker.deliveries import Tell
from worker.manifests import stored_files
from worker.sources import Check

_IMAGES = "images"
_CHUNK = 1 << 20


def stage_own_dataset(
    version: StoredVersion, cache: Path, blobs: Blobs, *, held: ExitStack, tell: Tell, check: Check
) -> Path:
    """The folder with the version's `manifest.json` and its images under `images/`. It stays until `held` is closed.

    Whoever comes first unpacks; others that want the same wait for it, in this process or another.

    Args:
        version: what to stage.
        cache: it lies in its folder `datasets`, named by the content hash.
        blobs: where manifest and packs lie.
        held: takes the lock that keeps the folder from being dropped.
        tell: hears how it goes.
        check: raises to give up.

    Raises:
        DatasetUnreadable: the packs do not hold what the manifest names.
        BlobUnavailable: a blob is gone or damaged.
        DiskFull: there is no room.
    """
    folder = cache / "datasets" / version.sha256
    folder.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with ExitStack() as shared:
            shared.enter_context(hold(lock_of(folder), check, shared=True))
            if _is_ready(folder, version.sha256):
                os.utime(lock_of(folder))  # its time tells when the folder was last wanted
                held.push(shared.pop_all())
                return folder
        with hold(lock_of(folder), check):
            if not _is_ready(folder, version.sha256):
                _unpack(version, folder, blobs, tell=tell, check=check)


def drop_unused(cache: Path, *, most_bytes: int) -> list[str]:
    """Drop the folders that were not wanted for longest until those left take no more; never one that is in use.

    Returns:
        The content hashes of those that were dropped.
    """
    sizes = {path: stamp.size_bytes for path in _own_folders(cache) if (stamp := read_stamp(path)) is not None}
    excess = sum(sizes.values()) - most_bytes
    dropped = []
    for folder in sorted(sizes, key=_last_wanted):
        if excess <= 0:
            break
        with hold_if_free(lock_of(folder)) as free:
            if free:
                shutil.rmtree(folder, ignore_errors=True)
                excess -= sizes[folder]
                dropped.append(folder.name)
    return dropped


def _is_ready(folder: Path, sha256: str) -> bool:
    stamp = read_stamp(folder)
    return stamp is not None and stamp.holds(folder, sha256)


def _unpack(version: StoredVersion, folder: Path, blobs: Blobs, *, tell: Tell, check: Check) -> None:
    """Make the folder: whole, with its stamp, or not at all."""
    tell(f"Unpacking {version.ref} ({len(version.packs)} packs) …")
    began = time.monotonic()
    try:
        with TemporaryDirectory(prefix=f".{folder.name[:12]}-", dir=folder.parent) as place:
            ready = Path(place) / "ready"
            (ready / _IMAGES).mkdir(parents=True)
            blobs.fetch(version.sha256, ready / MANIFEST)
            names = _unpack_packs(version, ready, blobs, check)
            write_stamp(ready, [MANIFEST, *names], sha256=version.sha256, source=f"uploaded as {version.ref}")
            shutil.rmtree(folder, ignore_errors=True)
            ready.rename(folder)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"No room on the disk for the dataset {version.ref} in {folder.parent}.") from error
        raise
    tell(f"{version.ref} unpacked and verified in {time.monotonic() - began:.1f} s.")


def _unpack_packs(version: StoredVersion, ready: Path, blobs: Blobs, check: Check) -> list[str]:
    """Unpack what the manifest names; the names of the files below the folder."""
    names = []
    for pack, files in _by_pack(ready / MANIFEST, version).items():
        check()
        packed = ready.with_name(pack)
        blobs.fetch(version.packs[pack], packed)
        with zipfile.ZipFile(packed) as archive:
            for name in files:
                _unpack_one(archive, name, ready / _IMAGES / name, version)
                names.append(f"{_IMAGES}/{name}")
        packed.unlink()
    return names


def _by_pack(manifest: Path, version: StoredVersion) -> Mapping[str, list[str]]:
    """The files that the manifest names, by pack."""
    files: dict[str, list[str]] = defaultdict(list)
    try:
        for pack, name in stored_files(manifest):
            files[pack].append(name)
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetUnreadable(f"The manifest of {version.ref} cannot be read: {error}.") from error
    missing = sorted(set(files) - set(version.packs))
    if missing:
        raise DatasetUnreadable(
            f"The manifest of {version.ref} names a pack that it does not have: {missing[0]!r:.100}."
        )
    return files


def _unpack_one(archive: zipfile.ZipFile, name: str, target: Path, version: StoredVersion) -> None:
    if Path(name).name != name or name in ("", ".", ".."):
        raise DatasetUnreadable(f"The manifest of {version.ref} names a file that is none of ours: {name!r:.100}.")
    try:
        with archive.open(name) as source, target.open("xb") as file:
            shutil.copyfileobj(source, file, _CHUNK)
    except (KeyError, FileExistsError, zipfile.BadZipFile) as error:
        raise DatasetUnreadable(f"{name} of {version.ref} cannot be unpacked: {error}.") from error
    target.chmod(0o444)


def _own_folders(cache: Path) -> list[Path]:
    """Unpacked datasets that people uploaded; those of the catalogue have names, these have hashes."""
    try:
        return [path for path in (cache / "datasets").iterdir() if len(path.name) == 64 and path.is_dir()]
    except FileNotFoundError:
        return []


def _last_wanted(folder: Path) -> float:
    try:
        return lock_of(folder).stat().st_mtime
    except FileNotFoundError:
        return 0.0
