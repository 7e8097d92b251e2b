"""Images for steps that are only timed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CLASSES = 10
RATE = 1e-3


def random_images(shape: tuple[int, ...], count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """So many images of noise with labels, always the same."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, *shape), np.uint8), rng.integers(0, CLASSES, count)
