"""The images that feed training: dealt in an order that follows from the seed and the epoch, changed as the spec says.

Every batch depends on nothing but the seed and its number, so training may go on from any batch with the same bits.
TensorFlow only.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from ml.datasets.images import Part
from ml.engine.augment import augment
from ml.engine.mixing import mix
from ml.engine.seeds import MIXING, derived
from ml.sizing import HELD_BYTES
from records.specs.augmentation import Augmentation

PREFETCHED_BATCHES = 4
"""Of images as they are."""
MOST_BESIDE, PREFETCHED_CHANGED = 8, 2
"""Batches that are changed beside each other, where there are so many threads, and those that wait."""


class TrainingImages:
    """The part of a dataset to train on.

    Up to `HELD_BYTES` it is held in memory; a larger one stays mapped from its file, and each batch is read from there.

    Args:
        part: images with their labels.
        batch_size: images a step; an epoch's last batch holds what is left.
        seed: of the order and the augmentation.
        augmentation: None, or one that is off, leaves the images as they are, byte for byte.
        threads: processor threads for the pipeline.
        size: height and width that the network takes; that of the images when left out.
        classes: how many there are; needed where labels are mixed.
    """

    def __init__(
        self,
        part: Part,
        *,
        batch_size: int,
        seed: int,
        augmentation: Augmentation | None,
        threads: int,
        size: tuple[int, int] | None = None,
        classes: int | None = None,
    ) -> None:
        self._part = part
        self.count = len(part)
        self.batch_size = batch_size
        self.steps_per_epoch = -(-len(part) // batch_size)
        self._seed = seed
        self._augmentation = None if augmentation is None or augmentation.is_off else augmentation
        self._threads = threads
        self._size = size
        self._classes = classes
        with tf.device("CPU:0"):
            self._labels = tf.constant(part.labels)
            self._aspects = None if part.aspects is None else tf.constant(part.aspects)
            self._held = tf.constant(part[:]) if part.nbytes <= HELD_BYTES else None
        number = tf.TensorSpec((), tf.int64)
        self._batch = tf.function(self._make, input_signature=[number, number, tf.TensorSpec([self.count], tf.int64)])
        """Traced once, not anew for each epoch."""

    def batches(self, epoch: int, first: int) -> tf.data.Iterator:
        """The batches (images, labels) of an epoch, counted from 0, from number `first` on.

        Labels are int64 `[batch]`, or where they are mixed, shares of the classes, float32 `[batch, classes]`.
        """
        order = tf.constant(np.random.default_rng([self._seed, epoch]).permutation(self.count))

        def batch(number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return self._batch(number, tf.constant(epoch, tf.int64), order)

        options = tf.data.Options()
        options.threading.private_threadpool_size = self._threads
        numbers = tf.data.Dataset.range(first, self.steps_per_epoch)
        if self._augmentation is None:
            return iter(numbers.map(batch).prefetch(PREFETCHED_BATCHES).with_options(options))
        changed = numbers.map(batch, num_parallel_calls=min(self._threads, MOST_BESIDE))
        return iter(changed.prefetch(PREFETCHED_CHANGED).with_options(options))

    def _make(self, number: tf.Tensor, epoch: tf.Tensor, order: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        chosen = order[number * self.batch_size : (number + 1) * self.batch_size]
        images, labels = self._read(chosen), tf.gather(self._labels, chosen)
        if self._augmentation is None:
            return images, labels
        return self._change(images, labels, chosen, [self._seed, epoch * self.steps_per_epoch + number])

    def _read(self, chosen: tf.Tensor) -> tf.Tensor:
        if self._held is not None:
            return tf.gather(self._held, chosen)
        kind = tf.as_dtype(self._part.pictures.dtype)
        read = tf.numpy_function(self._part.__getitem__, [chosen], kind, stateful=False)
        return tf.ensure_shape(read, [None, *self._part.pictures.shape[1:]])

    def _change(
        self, images: tf.Tensor, labels: tf.Tensor, chosen: tf.Tensor, seed: list[tf.Tensor]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        aspects = None if self._aspects is None else tf.gather(self._aspects, chosen)
        images = augment(images, self._augmentation, seed, size=self._size, aspects=aspects)
        if not self._augmentation.mixes:
            return images, labels
        return mix(images, labels, self._augmentation, derived(seed, MIXING), classes=self._classes)
