"""Photographs of a staged dataset, decoded when they are asked for. Pillow and numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image


class DecodedPhotos:
    """Photographs `[height, width, 1 or 3]`, each of its own size; a slice of them is read from their files."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files

    def __getitem__(self, part: slice) -> list[NDArray[np.uint8]]:
        return [_decode(path) for path in self._files[part]]


def _decode(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        pixels = np.asarray(picture)
    return pixels[..., np.newaxis] if pixels.ndim == 2 else pixels
