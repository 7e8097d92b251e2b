"""Manifests of people's datasets, read a line at a time: a million images need not lie in this process's memory.

`ml.intake` writes them so: the head, then an image a line.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from records.intakes import Contents

_FIRST = ',"images":[\n'


def read_contents(path: Path, sha256: str) -> Contents:
    """What a version holds, from its manifest.

    Raises:
        ValueError, KeyError: it is no manifest.
    """
    counts: Counter[str] = Counter()
    with path.open(encoding="utf-8") as file:
        head = _read_head(file)
        for image in _read_images(file):
            counts[image["split"]] += 1
    if not counts:
        raise ValueError("the manifest names no image")
    return Contents(sha256, head["classes"], dict(counts), int(head["channels"]), counts.total())


def stored_files(path: Path) -> Iterator[tuple[str, str]]:
    """Every pack and file that a manifest names, masks among them.

    Raises:
        ValueError, KeyError: it is no manifest.
    """
    with path.open(encoding="utf-8") as file:
        _read_head(file)
        for image in _read_images(file):
            yield image["pack"], image["file"]
            if image["mask"] is not None:
                yield image["pack"], image["mask"]


def _read_head(file: IO[str]) -> dict[str, Any]:
    line = file.readline()
    if not line.endswith(_FIRST):
        raise ValueError("expected the first line of a manifest to end where its images begin")
    head: dict[str, Any] = json.loads(line.removesuffix(_FIRST) + "}")
    return head


def _read_images(file: IO[str]) -> Iterator[dict[str, Any]]:
    for line in file:
        if line.startswith("]"):
            return
        yield json.loads(line.rstrip(",\n"))
    raise ValueError("the manifest breaks off")
