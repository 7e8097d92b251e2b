"""What a dataset is once it is read, and the parts that a training makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images of one size with their labels, in two splits. The arrays are read-only."""

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


@dataclass(frozen=True, eq=False)
class Part:
    """Some images with their labels: to train on, to validate with, or to test with."""

    pictures: NDArray[Any]
    """`[n, height, width, channels]` of 0 to 255, or other numbers that a network takes; may be mapped from a file."""
    rows: NDArray[np.int64]
    """Which of them belong to this part, `[count]`."""
    labels: NDArray[np.int64]
    """`[count]`."""
    aspects: NDArray[np.float32] | None = None
    """`[count]`: width / height of each photograph before it was squeezed; None where nothing was."""

    @classmethod
    def of(cls, pictures: NDArray[Any], labels: NDArray[np.int64]) -> Part:
        """All of these."""
        return cls(pictures, np.arange(len(pictures)), labels)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        """The image, or images, at this place of the part."""
        chosen: NDArray[Any] = self.pictures[self.rows[index]]
        return chosen

    @property
    def nbytes(self) -> int:
        """Bytes of its images."""
        return len(self) * int(np.prod(self.pictures.shape[1:])) * self.pictures.itemsize

    def take(self, places: NDArray[np.int64]) -> Part:
        """Those at these places."""
        aspects = None if self.aspects is None else self.aspects[places]
        return Part(self.pictures, self.rows[places], self.labels[places], aspects)


@dataclass(frozen=True, eq=False)
class Parts:
    """A dataset as one training sees it."""

    train: Part
    val: Part
    test: Part | None
    """None where the dataset has no such split; what is reported at the end is then of `val`."""
    unchanged: Part | None
    """The images to train on as evaluation would show them; None where nobody asked."""
    classes: tuple[str, ...]
    image_shape: tuple[int, int, int]
    """What the network takes: height, width, channels."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Images in each part."""
        parts = {"train": self.train, "val": self.val, "test": self.test}
        return {name: len(part) for name, part in parts.items() if part is not None}

    @property
    def tested(self) -> tuple[Literal["test", "val"], Part]:
        """What the chosen weights are reported on: the test images where there are some, else those of validation."""
        return ("test", self.test) if self.test is not None else ("val", self.val)
