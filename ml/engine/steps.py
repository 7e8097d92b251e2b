"""The training step, compiled, and the images that feed it. TensorFlow only.

A call runs many steps without coming back to Python, and every step depends on nothing but the seed, its number and the
variables: so training may stop after any step and go on from there with the same bits.

Per step of LeNet-5 at batch 128 on two cores, this takes less time than `Model.fit`; with augmentation, gathering
and warping images in `tf.data` overlaps with training and beats doing it inside the compiled loop.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ml.engine.augment import augment
from ml.networks import LOGITS, Auxiliary
from records.specs.train import Augmentation

PREFETCHED_BATCHES = 4


class TrainingImages:
    """The training split in memory, dealt in an order that follows from the seed and the epoch alone.

    Args:
        images: uint8 `[n, height, width, channels]`.
        labels: int64 `[n]`.
        batch_size: images a step; an epoch's last batch holds what is left.
        seed: of the order and the augmentation.
        augmentation: None leaves the images as they are.
        threads: processor threads for the pipeline.
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
        *,
        batch_size: int,
        seed: int,
        augmentation: Augmentation | None,
        threads: int,
    ) -> None:
        with tf.device("CPU:0"):
            self._images, self._labels = tf.constant(images), tf.constant(labels)
        self.count = len(images)
        self.batch_size = batch_size
        self.steps_per_epoch = -(-len(images) // batch_size)
        self._seed = seed
        self._augmentation = augmentation
        self._threads = threads

    def batches(self, epoch: int, first: int) -> tf.data.Iterator:
        """The batches (images, labels) of an epoch, counted from 0, from number `first` on."""
        order = tf.constant(np.random.default_rng([self._seed, epoch]).permutation(self.count))

        def batch(number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            chosen = order[number * self.batch_size : (number + 1) * self.batch_size]
            images = tf.gather(self._images, chosen)
            if self._augmentation is not None:
                images = augment(images, self._augmentation, [self._seed, epoch * self.steps_per_epoch + number])
            return images, tf.gather(self._labels, chosen)

        options = tf.data.Options()
        options.threading.private_threadpool_size = self._threads
        numbers = tf.data.Dataset.range(first, self.steps_per_epoch)
        return iter(numbers.map(batch).prefetch(PREFETCHED_BATCHES).with_options(options))


class TrainingSteps:
    """Optimizer steps on the softmax cross-entropy of the model's logits.

    Args:
        model: its layer `logits` is trained, and its auxiliary heads are; takes raw images.
        optimizer: gets its variables here, so that the first step is traced once only.
        class_weights: float32 `[classes]`; each image's loss is multiplied by its class's weight. The mean is over the
            images, not over the weights, as in Keras.
        auxiliary: heads of the model whose losses are minimised too, each times its weight. The loss that is reported
            is the main one alone, so that it can be compared with other networks' and with validation.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        *,
        class_weights: NDArray[np.float32] | None,
        auxiliary: Sequence[Auxiliary] = (),
    ) -> None:
        names = (LOGITS, *(head.name for head in auxiliary))
        self._logits = keras.Model(model.inputs, {name: model.get_layer(name).output for name in names})
        self._heads = tuple(auxiliary)
        self._optimizer = optimizer
        self._class_weights = None if class_weights is None else tf.constant(class_weights)
        optimizer.build(self._logits.trainable_variables)
        self._run = tf.function(self._many_steps)

    def run(
        self, batches: tf.data.Iterator, rates: NDArray[np.float32], *, first: int, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Do `count` optimizer steps and wait for them.

        Args:
            batches: where the next batch is number `first`.
            rates: float32 `[steps_per_epoch]`, the learning rate of each step of the epoch. The whole epoch's, because
                an array of another length would be traced anew.
            first: the first step's number in the epoch, from 0.
            count: steps to do.

        Returns:
            Each step's loss, and how many images of its batch were classified right, both `[count]`.
        """
        losses, right = self._run(batches, tf.constant(rates), tf.constant(first), tf.constant(count))
        return losses.numpy(), right.numpy()

    def trace(self, images: tf.DType) -> tf.types.experimental.ConcreteFunction:
        """One step on a batch of any size, as in the loop, traced and not executed; `images` is their type."""
        signature = (
            tf.TensorSpec([None, *self._logits.input_shape[1:]], images),
            tf.TensorSpec([None], tf.int64),
            tf.TensorSpec([], tf.float32),
        )
        return tf.function(self._step, input_signature=signature).get_concrete_function()

    def _many_steps(
        self, batches: tf.data.Iterator, rates: tf.Tensor, first: tf.Tensor, count: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        losses, right = tf.TensorArray(tf.float32, count), tf.TensorArray(tf.int32, count)
        for step in tf.range(count):
            images, labels = next(batches)
            loss, batch_right = self._step(images, labels, rates[first + step])
            losses, right = losses.write(step, loss), right.write(step, batch_right)
        return losses.stack(), right.stack()

    def _step(self, images: tf.Tensor, labels: tf.Tensor, rate: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        variables = self._logits.trainable_variables
        self._optimizer.learning_rate.assign(rate)
        with tf.GradientTape() as tape:
            outputs = self._logits(tf.cast(images, tf.float32), training=True)
            logits = outputs[LOGITS]
            loss = self._loss(labels, logits)
            helping = [head.weight * self._cross_entropy(labels, outputs[head.name]) for head in self._heads]
            whole = tf.add_n([loss, *helping])
        self._optimizer.apply(tape.gradient(whole, variables), variables)
        said = tf.argmax(logits, axis=1, output_type=labels.dtype)
        return loss, tf.math.count_nonzero(said == labels, dtype=tf.int32)

    def _loss(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """The cross-entropy, plus what the layers add (weight penalties)."""
        return tf.add_n([self._cross_entropy(labels, logits), *self._logits.losses])

    def _cross_entropy(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Mean over the batch."""
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, tf.cast(logits, tf.float32))
        if self._class_weights is not None:
            losses *= tf.gather(self._class_weights, labels)
        return tf.reduce_mean(losses)
