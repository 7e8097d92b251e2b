"""The images of a dataset's split as a trained model sees them, for recipes that go through whole splits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.datasets import ImageSet, PhotoSet
from ml.datasets.decoded import DecodedPhotos
from ml.engine.data import set_aside
from ml.engine.photos import ShownPhotos
from ml.predicting.classifier import Classifier
from ml.predicting.pictures import fit_pictures
from ml.sizing import SHOWN, evaluation_sizing
from records.specs import FinetuneSpec, TrainSpec


@dataclass(frozen=True, eq=False)
class Split:
    """Some images with their labels, decoded and brought to the model's size when they are asked for."""

    name: str
    labels: NDArray[np.int64]
    """`[n]`, each an index into the dataset's classes."""
    names: tuple[str, ...]
    """What each was called where it was uploaded; none for images without names."""
    source: NDArray[np.uint8] | DecodedPhotos | ShownPhotos
    image_shape: tuple[int, int, int]
    shown: float

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, first: int, count: int) -> NDArray[np.uint8]:
        """At most so many images from this place on, `[some, height, width, channels]`."""
        return fit_pictures(self.source[first : first + count], self.image_shape, shown=self.shown)

    def __getitem__(self, index: Any) -> NDArray[np.uint8]:
        """One image."""
        return self.batch(int(index), 1)[0]


def read_splits(
    data: ImageSet | PhotoSet,
    wanted: str,
    classifier: Classifier,
    *,
    threads: int,
    aside: TrainSpec | FinetuneSpec | None = None,
) -> Iterator[Split]:
    """The wanted splits, in the order in which they are used.

    A model that learned photographs sees them exactly as its own evaluation did; for another they are fitted to its
    images.

    Args:
        data: the dataset.
        wanted: `train`, `val`, `test` or `all`: those that the dataset delivers.
        classifier: for whom.
        threads: that decode.
        aside: where the dataset delivers no `val`, the training whose validation part is meant by it.
    """
    photos = isinstance(data, PhotoSet)
    parts = _photos(data, classifier, threads=threads) if photos else _images(data, classifier)
    for part in parts:
        if wanted in (part.name, "all"):
            yield part
    if wanted == "val" and aside is not None and not (photos and "val" in data.splits):
        yield _validation_part(data, aside, classifier, threads=threads)


def _images(data: ImageSet, classifier: Classifier) -> Iterator[Split]:
    shape, shown = classifier.image_shape, classifier.shown
    yield Split("train", data.train_labels, (), data.train_images, shape, shown)
    yield Split("test", data.test_labels, (), data.test_images, shape, shown)


def _photos(data: PhotoSet, classifier: Classifier, *, threads: int) -> Iterator[Split]:
    for name, places in data.splits.items():
        yield _photos_at(data, name, places, classifier, threads=threads)


def _photos_at(data: PhotoSet, name: str, places: NDArray[np.int64], classifier: Classifier, *, threads: int) -> Split:
    if classifier.shown == SHOWN:
        source = ShownPhotos(data, places, evaluation_sizing(classifier.image_shape), threads=threads)
    else:
        source = DecodedPhotos([data.files[place] for place in places])
    names = tuple(data.names[place] for place in places)
    return Split(name, data.labels[places], names, source, classifier.image_shape, classifier.shown)


def _validation_part(
    data: ImageSet | PhotoSet, aside: TrainSpec | FinetuneSpec, classifier: Classifier, *, threads: int
) -> Split:
    if isinstance(data, PhotoSet):
        train = data.splits["train"]
        _, kept = set_aside(data.labels[train], aside)
        return _photos_at(data, "val", train[kept], classifier, threads=threads)
    train, _ = _images(data, classifier)
    _, kept = set_aside(train.labels, aside)
    return replace(train, name="val", labels=train.labels[kept], source=train.source[kept])
