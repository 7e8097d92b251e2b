"""16-bit arithmetic: which kind a device gets, and the scale that keeps float16 gradients from vanishing.

Micikevicius et al.: Mixed precision training (2018). Weights, sums of gradients and the loss stay 32-bit. bfloat16 has
the range of 32-bit numbers and needs no scale. TensorFlow only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from records.specs.memory import Precision

FULL, FLOAT16, BFLOAT16 = "float32", "mixed_float16", "mixed_bfloat16"
FIRST_SCALE, MOST_SCALE = 2.0**15, 2.0**24
GROWS_AFTER = 2000
"""Optimizer steps without an overflow, after which the scale is doubled."""


def layer_policy(precision: Precision, *, device_kind: str) -> str:
    """The policy of the layers, as Keras names it."""
    if precision == FULL:
        return FULL
    return FLOAT16 if device_kind == "gpu" else BFLOAT16


class LossScale:
    """Multiplies the loss, divides the gradients, and leaves a step out whose gradients overflowed.

    The scale is halved by an overflow and doubled after many steps without one, as in Keras's `LossScaleOptimizer`;
    that one would change the variables of the optimizer, and a checkpoint from before would no longer fit.
    """

    def __init__(self) -> None:
        self._scale = tf.Variable(FIRST_SCALE, trainable=False, name="loss_scale")
        self._good_steps = tf.Variable(0, trainable=False, name="good_steps")

    @property
    def variables(self) -> tuple[tf.Variable, tf.Variable]:
        """What a checkpoint keeps."""
        return self._scale, self._good_steps

    def enlarge(self, loss: tf.Tensor) -> tf.Tensor:
        """The loss whose gradients are to be found."""
        return loss * self._scale

    def apply(self, gradients: Sequence[tf.Tensor], update: Callable[[list[tf.Tensor]], None]) -> None:
        """Update with the gradients of the loss itself, unless one of them is not finite."""
        true = [gradient / self._scale for gradient in gradients]
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(gradient)) for gradient in true])

        def good() -> tf.Tensor:
            update(true)
            self._good_steps.assign_add(1)
            if_due = tf.minimum(self._scale * 2.0, MOST_SCALE)
            due = self._good_steps >= GROWS_AFTER
            self._scale.assign(tf.where(due, if_due, self._scale))
            self._good_steps.assign(tf.where(due, 0, self._good_steps))
            return tf.constant(True)

        def overflowed() -> tf.Tensor:
            self._scale.assign(tf.maximum(self._scale / 2.0, 1.0))
            self._good_steps.assign(0)
            return tf.constant(False)

        tf.cond(finite, good, overflowed)
