"""What the training of a segmentation minimises, and its compiled step. TensorFlow only.

Pixels of no class (`IGNORED_CLASS`) have no part in any loss. Dice: Milletari, Navab, Ahmadi: V-Net (2016), without the
squares, as is usual; focal: Lin, Goyal, Girshick, He, Dollar: Focal loss for dense object detection (2017), here of a
softmax.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
from numpy.typing import NDArray

from ml.engine.steps import Forward, RateGroup, TrainingSteps
from ml.networks import LOGITS
from records.intake import IGNORED_CLASS
from records.specs.segment import PixelLosses

SMOOTH = 1.0
"""Pixels that are added to both sides of the Dice ratio, so that a class that is nowhere counts as found."""


class PixelSteps(TrainingSteps):
    """Optimizer steps on a sum of losses over all pixels that have a class.

    Args:
        forward: from images to logits `[batch, height, width, classes]`.
        groups: as of `TrainingSteps`.
        losses: what is added up, and how much each counts.
        class_weights: float32 `[classes]`, for cross-entropy and focal loss.
    """

    RIGHT = tf.float32

    def __init__(
        self,
        forward: Forward,
        groups: Sequence[RateGroup],
        *,
        losses: PixelLosses,
        class_weights: NDArray | None,
    ) -> None:
        super().__init__(forward, groups, class_weights=class_weights)
        self._losses = losses

    def _judge(self, images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """What is minimised, the same for the report, and the share of the pixels that are right, times the images."""
        logits = tf.cast(self._forward(images)[LOGITS], tf.float32)
        loss = pixel_loss(logits, labels, self._losses, self._class_weights)
        loss = tf.add_n([loss, *self._forward.losses])
        labelled = labels != IGNORED_CLASS
        right = (tf.argmax(logits, axis=-1) == tf.cast(labels, tf.int64)) & labelled
        share = tf.math.divide_no_nan(_count(right), _count(labelled))
        return loss, loss, share * tf.cast(tf.shape(labels)[0], tf.float32)


def pixel_loss(
    logits: tf.Tensor, labels: tf.Tensor, losses: PixelLosses, class_weights: tf.Tensor | None = None
) -> tf.Tensor:
    """The sum of the losses, each times its weight; 0 where no pixel has a class.

    Args:
        logits: float32 `[batch, height, width, classes]`.
        labels: uint8 `[batch, height, width]`, `IGNORED_CLASS` where a pixel has no class.
        losses: how much each counts.
        class_weights: float32 `[classes]`.
    """
    labelled = tf.cast(labels != IGNORED_CLASS, tf.float32)
    classes = tf.where(labels != IGNORED_CLASS, tf.cast(labels, tf.int32), 0)
    logs = tf.nn.log_softmax(logits)
    shares = tf.one_hot(classes, logits.shape[-1]) * labelled[..., None]
    of_its_class = tf.reduce_sum(logs * shares, axis=-1)
    weights = labelled if class_weights is None else tf.linalg.matvec(shares, class_weights)

    parts = []
    if losses.cross_entropy:
        parts.append(losses.cross_entropy * _mean(-of_its_class * weights, labelled))
    if losses.focal:
        # 1 - p kept off 0, where a power below 1 has no slope.
        missing = tf.maximum(1.0 - tf.exp(of_its_class), 1e-6)
        parts.append(losses.focal * _mean(-of_its_class * weights * missing**losses.focal_gamma, labelled))
    if losses.dice:
        parts.append(losses.dice * _dice(tf.exp(logs) * labelled[..., None], shares))
    return tf.add_n(parts)


def _dice(said: tf.Tensor, shares: tf.Tensor) -> tf.Tensor:
    """One less the mean over the classes of their overlap in the whole batch."""
    axes = (0, 1, 2)
    both = tf.reduce_sum(said * shares, axis=axes)
    sizes = tf.reduce_sum(said, axis=axes) + tf.reduce_sum(shares, axis=axes)
    return 1.0 - tf.reduce_mean((2.0 * both + SMOOTH) / (sizes + SMOOTH))


def _mean(values: tf.Tensor, labelled: tf.Tensor) -> tf.Tensor:
    return tf.math.divide_no_nan(tf.reduce_sum(values), tf.reduce_sum(labelled))


def _count(true: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.cast(true, tf.float32))
