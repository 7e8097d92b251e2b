"""The model of a converted network, with the classifier's weights in it, and the proof that both say the same.

`ml.networks.convolutional` converts the network; here its numbers move over and are compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from ml.engine.build import build_model
from ml.engine.evaluate import Evaluation
from ml.networks.convolutional import Convolutional

Place = tuple[int, int]
"""A row and a column of the map."""

BATCH_SIZE = 32
TIMED_RUNS = 5


@dataclass(frozen=True)
class Comparison:
    """How far two sets of logits lie apart."""

    windows: int
    """How many were compared."""
    largest: float
    """The largest difference of two logits, as a share of the largest logit."""
    median: float
    """The median over the windows of their largest difference, as such a share."""
    same_class: float
    """Share of the windows for which both say the same class."""


class Proof:
    """A classifier and the model that it became, side by side.

    Args:
        converted: the conversion.
        classifier: the model that was converted, without auxiliary heads.
        model: from `build_convolutional`.
    """

    def __init__(self, converted: Convolutional, classifier: keras.Model, model: keras.Model) -> None:
        self._converted = converted
        self._classifier = Evaluation(classifier, batch_size=BATCH_SIZE)
        self._model = Evaluation(model, batch_size=1)

    def compare_native(self, images: NDArray[np.uint8]) -> Comparison:
        """Both on images `[n, height, width, channels]` of the classifier's own size, where the map has one place."""
        expected = self._classifier.logits(images, between=_nothing)
        return _compare(self._model.logits(images, between=_nothing).reshape(expected.shape), expected)

    def compare_sliding(self, canvases: NDArray[np.uint8], places: Sequence[Place]) -> Comparison:
        """The maps of canvases `[n, height, width, channels]` against the classifier on the crops they are about.

        Args:
            canvases: larger images.
            places: of each canvas's map.
        """
        maps = self.maps(canvases)
        rows, columns = np.array(places).T
        crops = np.stack([crop for canvas in canvases for crop in self._crops(canvas, places)])
        said = maps[:, rows, columns].reshape(len(crops), -1)
        return _compare(said, self._classifier.logits(crops, between=_nothing))

    def maps(self, canvases: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The maps' logits, `[n, rows, columns, classes]`."""
        return self._model.logits(canvases, between=_nothing)

    def time(self, canvas: NDArray[np.uint8]) -> dict[str, float]:
        """Seconds for the map of a canvas and for the classifier on each window of it, each the least of some runs."""
        rows, columns = self._converted.places
        places = [(row, column) for row in range(rows) for column in range(columns)]
        crops = np.stack(list(self._crops(canvas, places)))
        return {
            "seconds_of_the_map": _least(lambda: self.maps(canvas[np.newaxis])),
            "seconds_of_every_window": _least(lambda: self._classifier.logits(crops, between=_nothing)),
        }

    def _crops(self, canvas: NDArray[np.uint8], places: Sequence[Place]) -> Iterator[NDArray[np.uint8]]:
        height, width = self._converted.window
        for row, column in places:
            top, left = row * self._converted.stride[0], column * self._converted.stride[1]
            yield canvas[top : top + height, left : left + width]


def build_convolutional(converted: Convolutional, classifier: keras.Model) -> keras.Model:
    """The converted network's model for images of any size, with the classifier's weights.

    Args:
        converted: from `convolutionalise`.
        classifier: a model of `converted.native`, or one with auxiliary heads besides; its layers are named alike.
    """
    model = build_model(converted.network, seed=0, any_size=True)
    for layer in model.layers:
        if not layer.weights:
            continue
        kernel, *others = classifier.get_layer(layer.name).get_weights()
        if layer.name in converted.kernels:
            kernel = kernel.reshape(converted.kernels[layer.name])
        layer.set_weights([kernel, *others])
    return model


def sample_places(converted: Convolutional, most: int, seed: int) -> list[Place]:
    """At most so many different places of the map, its corners first."""
    height, width = converted.places
    corners = [(row, column) for row in (0, height - 1) for column in (0, width - 1)]
    shuffled = np.random.default_rng(seed).permutation(height * width)
    others = [divmod(int(place), width) for place in shuffled]
    return list(dict.fromkeys([*corners, *others]))[:most]


def _compare(said: NDArray[np.float32], expected: NDArray[np.float32]) -> Comparison:
    scale = max(float(np.abs(expected).max()), float(np.finfo(np.float32).tiny))
    differences = np.abs(said - expected).max(axis=1) / scale
    return Comparison(
        windows=len(expected),
        largest=float(differences.max()),
        median=float(np.median(differences)),
        same_class=float((said.argmax(axis=1) == expected.argmax(axis=1)).mean()),
    )


def _least(run: Callable[[], object]) -> float:
    """The shortest of the runs after the first, which traces, in seconds."""
    run()
    seconds = []
    for _ in range(TIMED_RUNS):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def _nothing() -> None:
    """Between batches there is nothing to do."""
