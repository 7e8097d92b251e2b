"""How well a network tells the classes of pixels: whole pictures in tiles, one confusion matrix over all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ml.datasets.scenes import HeldScenes, Scene
from ml.engine.tiles import TiledModel
from ml.reports.overlap import BorderCounts, class_dice, class_ious, mean_of, pixel_accuracy, pixel_matrix
from records.intake import IGNORED_CLASS

LEAST_PROBABILITY = 1e-7


@dataclass
class PixelScore:
    """What was counted over some pictures."""

    classes: int
    boundary_px: int
    matrix: NDArray[np.int64] = field(init=False)
    """`[true class, said]`."""
    borders: BorderCounts = field(init=False)
    nats: float = 0.0
    """Cross-entropy, added up over all pixels that have a class."""
    ious: list[float] = field(default_factory=list)
    """Mean intersection over union of each picture by itself."""

    def __post_init__(self) -> None:
        self.matrix = np.zeros((self.classes, self.classes), np.int64)
        self.borders = BorderCounts(self.classes, self.boundary_px)

    def add(self, mask: NDArray[np.uint8], said: NDArray[np.uint8], nats: float) -> None:
        """Count one picture."""
        one = pixel_matrix(mask, said, self.classes)
        self.matrix += one
        self.borders.add(mask, said)
        self.nats += nats
        self.ious.append(mean_of(class_ious(one)))

    @property
    def loss(self) -> float:
        """Mean cross-entropy of a pixel in nats; classes weigh the same, whatever the spec says of training."""
        return self.nats / max(1, int(self.matrix.sum()))

    @property
    def named(self) -> dict[str, float]:
        """By the names that the metrics of a split have."""
        return {
            "loss": self.loss,
            "accuracy": pixel_accuracy(self.matrix),
            "mean_iou": mean_of(class_ious(self.matrix)),
            "dice": mean_of(class_dice(self.matrix)),
            "boundary_f1": mean_of(self.borders.f1),
        }


class Segmenting:
    """Judges whole pictures.

    Args:
        tiled: the model.
        classes: how many there are.
        boundary_px: how far a border may be off.
    """

    def __init__(self, tiled: TiledModel, *, classes: int, boundary_px: int) -> None:
        self._tiled, self._classes, self._boundary_px = tiled, classes, boundary_px

    def score(self, scenes: HeldScenes, *, between: Callable[[], None]) -> PixelScore:
        """All of these pictures; `between` is called after each batch of tiles."""
        counted = PixelScore(self._classes, self._boundary_px)
        for scene, said, nats in self._judge(scenes, between):
            counted.add(scene.mask, said, nats)
        return counted

    def mask(self, scene: Scene) -> NDArray[np.uint8]:
        """What is said of one picture, `[height, width]`."""
        return self._tiled.mask(scene.pixels)

    def _judge(
        self, scenes: HeldScenes, between: Callable[[], None]
    ) -> Iterator[tuple[Scene, NDArray[np.uint8], float]]:
        for index in range(len(scenes)):
            scene = scenes[index]
            said, nats = np.empty(scene.mask.shape, np.uint8), 0.0
            for band in self._tiled.bands(scene.pixels, between=between):
                rows = slice(band.top, band.top + len(band.probabilities))
                said[rows] = band.probabilities.argmax(axis=-1)
                nats += _nats(band.probabilities, scene.mask[rows])
            yield scene, said, nats


def _nats(probabilities: NDArray[np.float32], mask: NDArray[np.uint8]) -> float:
    labelled = mask != IGNORED_CLASS
    of_its_class = np.take_along_axis(probabilities[labelled], mask[labelled][:, np.newaxis].astype(np.int64), axis=1)
    return float(-np.log(np.maximum(of_its_class, LEAST_PROBABILITY), dtype=np.float64).sum())
