"""A dataset with masks as one training sees it: to train on, to validate with, and perhaps to test with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ml.datasets.scenes import HeldScenes, SceneSet, list_scenes
from ml.datasets.split import split_validation
from ml.engine.data import some_rows
from records.errors import DatasetUnsuitable
from records.orders import Order
from records.specs import SegmentSpec

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SceneParts:
    """The pictures of each part."""

    train: HeldScenes
    val: HeldScenes
    test: HeldScenes | None
    classes: tuple[str, ...]
    channels: int
    pixels: NDArray[np.int64]
    """Of each class, in the pictures to train on."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Pictures in each part."""
        parts = {"train": self.train, "val": self.val, "test": self.test}
        return {name: len(part) for name, part in parts.items() if part is not None}

    @property
    def tested(self) -> tuple[Literal["test", "val"], HeldScenes]:
        """What the chosen weights are reported on: the test pictures where there are some, else those of validation."""
        return ("test", self.test) if self.test is not None else ("val", self.val)


def load_scenes(spec: SegmentSpec, order: Order, *, channels: int | None = None) -> SceneParts:
    """The parts of the spec's dataset.

    Args:
        spec: what is asked.
        order: `inputs["dataset"]` is the dataset's folder.
        channels: 1 or 3 where a network wants them so; the dataset's own when left out.

    Raises:
        DatasetUnreadable: a file is missing, or is not what it should be.
        DatasetUnsuitable: a class has no pixel to train on, or none is left for validation.
    """
    scenes = list_scenes(order.inputs["dataset"])
    train, val, test = _split(scenes, spec)
    channels = channels or scenes.channels

    def held(rows: Rows) -> HeldScenes:
        return HeldScenes(scenes, rows, channels=channels, threads=order.device.threads)

    seen = held(train)
    pixels = seen.count_pixels()
    _check_classes(scenes, pixels)
    return SceneParts(seen, held(val), held(test) if len(test) else None, scenes.classes, channels, pixels)


def _split(scenes: SceneSet, spec: SegmentSpec) -> tuple[Rows, Rows, Rows]:
    """Rows to train on, to validate with and to test with; there may be none of the last."""
    nothing = np.zeros(0, np.int64)
    train, val = scenes.splits.get("train", nothing), scenes.splits.get("val")
    if len(train) < 2:
        raise DatasetUnsuitable(f"Expected at least 2 images to train on, got {len(train)}. Add some to the dataset.")
    if val is None:
        places, held_out = split_validation(np.zeros(len(train), np.int64), spec.validation_fraction, spec.seed)
        train, val = train[places], train[held_out]
    return some_rows(train, spec), val, scenes.splits.get("test", nothing)


def _check_classes(scenes: SceneSet, pixels: NDArray[np.int64]) -> None:
    if empty := [name for name, count in zip(scenes.classes, pixels, strict=True) if not count]:
        raise DatasetUnsuitable(
            f"Expected pixels to train on for each of {len(scenes.classes)} classes, got none for "
            f"{', '.join(empty[:10])}. Add images with them to the dataset's train split, or leave the class out."
        )
