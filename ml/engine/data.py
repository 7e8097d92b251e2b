"""A dataset as one training sees it: to train on, to validate with, and where there is such a split, to test with.

Photographs are brought to one size first. That takes time once: they are kept ready for later jobs of the machine.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.datasets import ImageSet, Part, Parts, PhotoSet, is_photo_folder, list_photos, load_images, split_validation
from ml.engine.photos import ready_pictures
from ml.reporter import Interruption, Reporter
from ml.sizing import Sizing, evaluation_sizing, training_sizing
from records.errors import DatasetUnsuitable
from records.orders import Order
from records.specs import FinetuneSpec, SegmentSpec, TrainSpec
from records.specs.images import sides_of

Rows = NDArray[np.int64]


def load_parts(
    spec: TrainSpec | FinetuneSpec, order: Order, reporter: Reporter, *, like: tuple[int, int, int] | None = None
) -> Parts:
    """The parts of the spec's dataset, with images of the size that it asks for.

    Args:
        spec: what is asked.
        order: `inputs["dataset"]` is the dataset's folder, `cache` where pictures that are ready are kept.
        reporter: hears of pictures that must be made ready first, and knows whether to stop.
        like: height, width, channels of what a network learned before: its channels are taken, and its size where the
            spec says none. Photographs only.

    Raises:
        DatasetUnreadable: a file is missing, or is not what it should be.
        DatasetUnsuitable: a class has no image to train on, or none is left for validation.
        Interruption: stopped as asked.
    """
    folder = order.inputs["dataset"]
    if not is_photo_folder(folder):
        return _parts_of_images(load_images(spec.dataset, folder), spec)
    photos = list_photos(folder)
    train, val, test = _split(photos, spec)
    image_shape = _image_shape(photos, spec, like)
    train_sizing, shown_sizing = training_sizing(image_shape, spec.augmentation), evaluation_sizing(image_shape)
    train_pictures = _make_ready(photos, train, train_sizing, order, reporter)
    shown = np.concatenate([val, test] if like is None else [train, val, test])
    shown_pictures = _make_ready(photos, shown, shown_sizing, order, reporter)
    return Parts(
        train=Part(train_pictures, train, photos.labels[train], photos.aspects[train] if train_sizing.whole else None),
        val=Part(shown_pictures, val, photos.labels[val]),
        test=Part(shown_pictures, test, photos.labels[test]) if len(test) else None,
        unchanged=None if like is None else Part(shown_pictures, train, photos.labels[train]),
        classes=photos.classes,
        image_shape=image_shape,
    )


def set_aside(labels: NDArray[np.int64], spec: TrainSpec | FinetuneSpec) -> tuple[Rows, Rows]:
    """Places of the training split to train on, and those that the spec keeps for validation."""
    return split_validation(labels, spec.validation_fraction, spec.validation_seed)


def _parts_of_images(data: ImageSet, spec: TrainSpec | FinetuneSpec) -> Parts:
    train, val = set_aside(data.train_labels, spec)
    whole = Part.of(data.train_images, data.train_labels)
    seen = whole.take(some_rows(train, spec))
    return Parts(
        train=seen,
        unchanged=seen,
        val=whole.take(val),
        test=Part.of(data.test_images, data.test_labels),
        classes=data.classes,
        image_shape=data.image_shape,
    )


def _image_shape(
    photos: PhotoSet, spec: TrainSpec | FinetuneSpec, like: tuple[int, int, int] | None
) -> tuple[int, int, int]:
    height, width, channels = like or (0, 0, photos.channels)
    return (*(sides_of(spec.image_size) if spec.image_size else (height, width)), channels)


def _split(photos: PhotoSet, spec: TrainSpec | FinetuneSpec) -> tuple[Rows, Rows, Rows]:
    """Rows to train on, to validate with and to test with; there may be none of the last."""
    train = photos.splits.get("train", np.zeros(0, np.int64))
    val, test = photos.splits.get("val"), photos.splits.get("test", np.zeros(0, np.int64))
    _check_classes(photos, train)
    if val is None:
        places, held_out = set_aside(photos.labels[train], spec)
        train, val = train[places], train[held_out]
    return some_rows(train, spec), val, test


def _check_classes(photos: PhotoSet, train: Rows) -> None:
    counts = np.bincount(photos.labels[train], minlength=len(photos.classes))
    if empty := [name for name, count in zip(photos.classes, counts, strict=True) if not count]:
        raise DatasetUnsuitable(
            f"Expected images to train on for each of {len(photos.classes)} classes, got none for "
            f"{', '.join(empty[:10])}. Add some to the dataset's train split, or leave the class out."
        )
    if len(train) < 2:
        raise DatasetUnsuitable(f"Expected at least 2 images to train on, got {len(train)}. Add some to the dataset.")


def some_rows(train: Rows, spec: TrainSpec | FinetuneSpec | SegmentSpec) -> Rows:
    """As many as the spec wants of those that validation left."""
    if spec.train_examples is None:
        return train
    chosen = np.random.default_rng(spec.seed).permutation(len(train))[: spec.train_examples]
    return train[np.sort(chosen)]


def _make_ready(photos: PhotoSet, rows: Rows, sizing: Sizing, order: Order, reporter: Reporter) -> NDArray[np.uint8]:
    def check() -> None:
        if reporter.should_stop:
            raise Interruption(0)

    return ready_pictures(
        photos,
        rows,
        sizing,
        cache=order.cache or order.folder / "ready",
        threads=order.device.threads,
        check=check,
        tell=reporter.log,
    )
