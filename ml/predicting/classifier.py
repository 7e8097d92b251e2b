"""A trained model that tells classes, built from what its job kept: the record, and the numbers of its weights.

Nothing that a file says is executed: the layers come from the spec, and only numbers are read from the weights.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ml.engine.earlier import load_trained
from ml.run_record import Record, read_record

BATCH = 32
"""Images at a time, so that many at once need no more memory than these."""


class Classifier:
    """A model with its weights, ready for images in batches of any size."""

    def __init__(self, record: Record, model: keras.Model) -> None:
        self.classes = record.classes
        self.image_shape = record.image_shape
        self.shown = record.shown
        # One trace for every number of images: each other one would cost as long as a first.
        signature = tf.TensorSpec((None, *record.image_shape), tf.uint8)
        self._forward = tf.function(
            lambda images: model(tf.cast(images, tf.float32), training=False), input_signature=[signature]
        )

    def probabilities(self, images: NDArray[np.uint8], *, batch_size: int = BATCH) -> NDArray[np.float32]:
        """Probabilities `[n, classes]` of images `[n, height, width, channels]` of 0 to 255; n may be 0."""
        parts = [
            self._forward(tf.constant(images[first : first + batch_size])).numpy()
            for first in range(0, len(images), batch_size)
        ]
        return np.concatenate(parts) if parts else np.empty((0, len(self.classes)), np.float32)


def load_classifier(record: Path, weights: Path) -> Classifier:
    """The classifier in two kept files of a job.

    Args:
        record: its `run.json`.
        weights: its `best.weights.h5` or `last.weights.h5`.

    Raises:
        ModelUnreadable: they are not what they should be, or do not fit each other.
    """
    said = read_record(record)
    return Classifier(said, load_trained(said.draw(), weights))
