"""Keeps the cache of ready pictures (`ml.datasets.ready`) small: what was used least lately goes first.

A folder is taken out of the way by a rename, under the cache's lock, so that nobody opens half of one. Jobs that have
it open read on undisturbed; its bytes are free when the last has ended.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

from records.locks import hold

log = logging.getLogger("trainyard.ready_cache")

LOCK = ".lock"
"""As in `ml.datasets.ready`, which this process does not load for numpy's sake."""
_BLOCK = 512
"""Bytes of `st_blocks`: what a sparse file really takes."""


def ready_cache(cache: Path, *, limit_bytes: int, check: Callable[[], None] | None = None) -> Path:
    """The folder of ready pictures in a cache, brought below its limit.

    Args:
        cache: of the machine.
        limit_bytes: what may stay. What the attempt that is about to begin adds comes on top.
        check: raises to give up waiting for the lock.
    """
    folder = cache / "ready"
    folder.mkdir(parents=True, exist_ok=True)
    with hold(folder / LOCK, check):
        gone = [_take_away(old) for old in _surplus(folder, limit_bytes)]
    for path in gone:
        shutil.rmtree(path, ignore_errors=True)
    if gone:
        log.info("ready.dropped folders=%d limit_bytes=%d", len(gone), limit_bytes)
    return folder


def _surplus(folder: Path, limit_bytes: int) -> list[Path]:
    """What must go, the one that was used least lately first."""
    kept = sorted((path for path in folder.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime_ns)
    sizes = [sum(file.stat().st_blocks * _BLOCK for file in path.iterdir() if file.is_file()) for path in kept]
    total, going = sum(sizes), []
    for path, size in zip(kept, sizes, strict=True):
        if total <= limit_bytes and not path.name.startswith("."):
            continue
        going.append(path)
        total -= size
    return going


def _take_away(path: Path) -> Path:
    gone = path.with_name(f".gone-{path.name.lstrip('.')}")
    shutil.rmtree(gone, ignore_errors=True)
    path.rename(gone)
    path.with_name(f".{path.name}.lock").unlink(missing_ok=True)
    return gone
