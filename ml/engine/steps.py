"""The training step, compiled. TensorFlow only.

A call runs many steps without coming back to Python, and every step depends on nothing but the seed, its number and the
variables: so training may stop after any step and go on from there with the same bits.

Per step of LeNet-5 at batch 128 on two cores, this takes less time than `Model.fit`; with augmentation, gathering
and warping images in `tf.data` overlaps with training and beats doing it inside the compiled loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ml.engine.precision import LossScale
from ml.networks import LOGITS, Auxiliary


class Forward:
    """What the loss is made of: a model's logits, and those of its auxiliary heads, as training runs it.

    Args:
        model: takes raw images.
        auxiliary: its heads besides the layer `logits`.
    """

    def __init__(self, model: keras.Model, auxiliary: Sequence[Auxiliary] = ()) -> None:
        names = (LOGITS, *(head.name for head in auxiliary))
        self._logits = keras.Model(model.inputs, {name: model.get_layer(name).output for name in names})

    def __call__(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Logits `[batch, classes]` by name, of images `[batch, height, width, channels]`."""
        return self._logits(tf.cast(images, tf.float32), training=True)

    @property
    def variables(self) -> Sequence[keras.Variable]:
        """What training changes."""
        return self._logits.trainable_variables

    @property
    def losses(self) -> Sequence[tf.Tensor]:
        """What the layers add to the loss (weight penalties)."""
        return self._logits.losses

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one image: height, width, channels."""
        return self._logits.input_shape[1:]


@dataclass(frozen=True)
class RateGroup:
    """Variables that are trained at one share of the rate, by an optimizer of their own."""

    optimizer: keras.optimizers.Optimizer
    variables: Sequence[keras.Variable]
    share: float = 1.0


class TrainingSteps:
    """Optimizer steps on the softmax cross-entropy of the model's logits.

    Args:
        forward: from images to logits.
        groups: all of its variables, in their order; each optimizer gets its variables here, so that the first step is
            traced once only.
        class_weights: float32 `[classes]`; each image's loss is multiplied by its class's weight, or where its label is
            a mixture, by the mixture of the weights. The mean is over the images, not over the weights, as in Keras.
        auxiliary: heads whose losses are minimised too, each times its weight. The loss that is reported is the main
            one alone, so that it can be compared with other networks' and with validation.
        label_smoothing: share of each label that is spread evenly over all classes; it is in the reported loss.
        micro_batch: images that go through the network at a time; a batch's gradients are added up from its parts, each
            weighed by its share of the images, so that their sum is that of the whole batch. All at once when left out.
        loss_scale: for gradients that pass through float16.
        after_step: called when a step is traced, behind its updates.
    """

    RIGHT = tf.int32
    """The type of what counts as classified right."""

    def __init__(
        self,
        forward: Forward,
        groups: Sequence[RateGroup],
        *,
        class_weights: NDArray[np.float32] | None,
        auxiliary: Sequence[Auxiliary] = (),
        label_smoothing: float = 0.0,
        micro_batch: int | None = None,
        loss_scale: LossScale | None = None,
        after_step: Callable[[], None] | None = None,
    ) -> None:
        self._forward = forward
        self._groups = tuple(groups)
        self._variables = [variable for group in groups for variable in group.variables]
        self._heads = tuple(auxiliary)
        self._class_weights = None if class_weights is None else tf.constant(class_weights)
        self._label_smoothing = label_smoothing
        self._micro_batch = micro_batch
        self._loss_scale = loss_scale
        self._after_step = after_step
        for group in groups:
            group.optimizer.build(group.variables)
        self._run = tf.function(self._many_steps)

    @classmethod
    def of(
        cls,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        *,
        class_weights: NDArray[np.float32] | None = None,
        auxiliary: Sequence[Auxiliary] = (),
        label_smoothing: float = 0.0,
        after_step: Callable[[], None] | None = None,
    ) -> TrainingSteps:
        """Steps that train a whole model at one rate."""
        forward = Forward(model, auxiliary)
        return cls(
            forward,
            [RateGroup(optimizer, forward.variables)],
            class_weights=class_weights,
            auxiliary=auxiliary,
            label_smoothing=label_smoothing,
            after_step=after_step,
        )

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
            tf.TensorSpec([None, *self._forward.input_shape], images),
            tf.TensorSpec([None], tf.int64),
            tf.TensorSpec([], tf.float32),
        )
        return tf.function(self._step, input_signature=signature).get_concrete_function()

    def _many_steps(
        self, batches: tf.data.Iterator, rates: tf.Tensor, first: tf.Tensor, count: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        losses, right = tf.TensorArray(tf.float32, count), tf.TensorArray(self.RIGHT, count)
        for step in tf.range(count):
            images, labels = next(batches)
            loss, batch_right = self._step(images, labels, rates[first + step])
            losses, right = losses.write(step, loss), right.write(step, batch_right)
        return losses.stack(), right.stack()

    def _step(self, images: tf.Tensor, labels: tf.Tensor, rate: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        for group in self._groups:
            group.optimizer.learning_rate.assign(rate * group.share)
        if self._micro_batch is None:
            gradients, loss, right = self._gradients(images, labels, 1.0)
        else:
            gradients, loss, right = self._summed_gradients(images, labels)
        if self._loss_scale is None:
            self._update(gradients)
        else:
            self._loss_scale.apply(gradients, self._update)
        if self._after_step is not None:
            self._after_step()
        return loss, right

    def _update(self, gradients: list[tf.Tensor]) -> None:
        left = iter(gradients)
        for group in self._groups:
            group.optimizer.apply(list(islice(left, len(group.variables))), group.variables)

    def _gradients(
        self, images: tf.Tensor, labels: tf.Tensor, share: tf.Tensor | float
    ) -> tuple[list[tf.Tensor], tf.Tensor, tf.Tensor]:
        """Of `share` times the loss of some images; with it that part of the loss, and how many were right."""
        with tf.GradientTape() as tape:
            whole, loss, right = self._judge(images, labels)
            whole, loss = share * whole, share * loss
            if self._loss_scale is not None:
                whole = self._loss_scale.enlarge(whole)
        return tape.gradient(whole, self._variables), loss, right

    def _summed_gradients(self, images: tf.Tensor, labels: tf.Tensor) -> tuple[list[tf.Tensor], tf.Tensor, tf.Tensor]:
        """As `_gradients` of the whole batch, part by part; batch normalisation sees the part."""
        count, size = tf.shape(images)[0], self._micro_batch

        def add_part(first, gradients, loss, right):  # type: ignore[no-untyped-def]
            part = slice(first, first + size)
            share = tf.cast(tf.minimum(size, count - first), tf.float32) / tf.cast(count, tf.float32)
            more, more_loss, more_right = self._gradients(images[part], labels[part], share)
            added = [old + new for old, new in zip(gradients, more, strict=True)]
            return first + size, added, loss + more_loss, right + more_right

        nothing = [tf.zeros(variable.shape) for variable in self._variables]
        _, gradients, loss, right = tf.while_loop(
            lambda first, *_: first < count,
            add_part,
            (tf.constant(0), nothing, tf.constant(0.0), tf.zeros([], self.RIGHT)),
            parallel_iterations=1,  # else the next part goes forward while this one goes backward
        )
        return gradients, loss, right

    def _judge(self, images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """What is minimised, what of it is reported, and how many images were classified right."""
        outputs = self._forward(images)
        logits = outputs[LOGITS]
        loss = tf.add_n([self._cross_entropy(labels, logits), *self._forward.losses])
        helping = [head.weight * self._cross_entropy(labels, outputs[head.name]) for head in self._heads]
        said, meant = tf.argmax(logits, axis=1), tf.argmax(labels, axis=1) if labels.shape.rank == 2 else labels
        right = tf.math.count_nonzero(said == tf.cast(meant, said.dtype), dtype=self.RIGHT)
        return tf.add_n([loss, *helping]), loss, right

    def _cross_entropy(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Mean over the batch; labels are numbers of classes `[batch]`, or shares of them `[batch, classes]`."""
        logits = tf.cast(logits, tf.float32)
        if labels.shape.rank == 1 and not self._label_smoothing:
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            return tf.reduce_mean(
                losses if self._class_weights is None else losses * tf.gather(self._class_weights, labels)
            )
        classes = logits.shape[-1]
        shares = tf.one_hot(labels, classes) if labels.shape.rank == 1 else labels
        smoothed = shares * (1.0 - self._label_smoothing) + self._label_smoothing / classes
        losses = tf.nn.softmax_cross_entropy_with_logits(smoothed, logits)
        if self._class_weights is not None:
            losses *= tf.linalg.matvec(shares, self._class_weights)
        return tf.reduce_mean(losses)
