"""What a dataset is once it is read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images with their labels, in two splits. The arrays are read-only."""

    name: str
    train_images: NDArray[np.uint8]
    """`[n, height, width, channels]`, 0 to 255."""
    train_labels: NDArray[np.int64]
    """`[n]`, each an index into `classes`."""
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    classes: tuple[str, ...]

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        _, height, width, channels = self.train_images.shape
        return (height, width, channels)
