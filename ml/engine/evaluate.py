"""What a model says of images it must not learn from, and how good that is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ml.networks import LOGITS


@dataclass(frozen=True)
class Score:
    """Mean cross-entropy in nats, and the share of images classified right."""

    loss: float
    accuracy: float

    @property
    def named(self) -> dict[str, float]:
        """By the names that the metrics of a split have."""
        return {"loss": self.loss, "accuracy": self.accuracy}


class Evaluation:
    """Runs a model, without augmentation or dropout, over images in memory.

    Args:
        model: with a layer `logits`.
        batch_size: images at one time. Where a model is trained as well, no larger than the batch that it is trained
            on: then this never needs more memory than a training step, which was estimated.
    """

    def __init__(self, model: keras.Model, *, batch_size: int) -> None:
        logits = keras.Model(model.inputs, model.get_layer(LOGITS).output)
        self._batch_size = batch_size
        self._forward = tf.function(lambda images: logits(tf.cast(images, tf.float32), training=False))

    def logits(self, images: NDArray[np.uint8], *, between: Callable[[], None]) -> NDArray[np.float32]:
        """Logits `[n, classes]` of images `[n, height, width, channels]`; `between` is called after each batch."""
        batches = []
        for first in range(0, len(images), self._batch_size):
            batches.append(self._forward(tf.constant(images[first : first + self._batch_size])).numpy())
            between()
        return np.concatenate(batches).astype(np.float32)


def score(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> Score:
    """The score of logits `[n, classes]`. Classes weigh the same here, whatever the spec says of training."""
    right = logits.argmax(axis=1) == labels
    losses = -log_probabilities(logits)[np.arange(len(labels)), labels]
    return Score(loss=float(losses.mean()), accuracy=float(right.mean()))


def log_probabilities(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Logarithm of the softmax along the last axis, without overflow."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
