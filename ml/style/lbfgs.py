"""L-BFGS on tensors: curvature from the last steps makes each step count for more than one of Adam's.

Nocedal: Updating quasi-Newton matrices with limited storage (1980); Nocedal and Wright: Numerical optimization (2006),
algorithm 7.4 for the direction. The step's length is 1, as is usual for this problem; where the loss grew, the step is
halved instead (backtracking), so that it cannot run away. One evaluation a step.
"""

from __future__ import annotations

import tensorflow as tf

FIRST_LENGTH = 0.02
"""The first step's largest change of a pixel (0 to 1): there is no curvature to go by yet."""
SHORTEST = 1e-3
"""A step that was halved below this is taken as it is, and its curvature forgotten."""


class LBFGS:
    """The state of a minimisation over one tensor of `size` numbers. Its variables are all that a checkpoint needs."""

    def __init__(self, size: int, memory: int = 8) -> None:
        self._memory = memory
        self.steps = tf.Variable(tf.zeros([memory, size]), trainable=False)
        """The last changes of the point, the newest last."""
        self.bends = tf.Variable(tf.zeros([memory, size]), trainable=False)
        """The changes of the gradient that went with them."""
        self.count = tf.Variable(0, trainable=False)
        """How many of them there are."""
        self.point = tf.Variable(tf.zeros([size]), trainable=False)
        """Where the last step began; likewise its gradient, loss, direction and length."""
        self.slope = tf.Variable(tf.zeros([size]), trainable=False)
        self.loss = tf.Variable(float("inf"), trainable=False)
        self.direction = tf.Variable(tf.zeros([size]), trainable=False)
        self.length = tf.Variable(0.0, trainable=False)
        self._advance = tf.function(self._next)

    @property
    def variables(self) -> list[tf.Variable]:
        """In a fixed order."""
        return [
            self.steps, self.bends, self.count, self.point, self.slope, self.loss, self.direction, self.length,
        ]  # fmt: skip

    def advance(self, point: tf.Tensor, loss: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
        """Where to look next.

        Args:
            point: `[size]`, where the loss was looked at.
            loss: there.
            gradient: `[size]`, there.
        """
        return self._advance(point, loss, gradient)

    def _next(self, point: tf.Tensor, loss: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
        halved = self.length * 0.5
        if loss > self.loss and halved >= SHORTEST:
            self.length.assign(halved)
            return self.point + halved * self.direction
        self._learn(point, gradient)
        if loss > self.loss:
            self.count.assign(0)
        direction = self._direction(gradient)
        if tf.tensordot(direction, gradient, 1) >= 0:  # no way down: forget what led here
            self.count.assign(0)
            direction = -gradient
        length = tf.constant(1.0)
        if self.count == 0:
            length = FIRST_LENGTH / (tf.reduce_max(tf.abs(gradient)) + 1e-30)
        self.point.assign(point)
        self.slope.assign(gradient)
        self.loss.assign(loss)
        self.direction.assign(direction)
        self.length.assign(length)
        return point + length * direction

    def _learn(self, point: tf.Tensor, gradient: tf.Tensor) -> None:
        """Remember the last step and how the gradient changed along it, where that tells of a valley."""
        step, bend = point - self.point, gradient - self.slope
        along = tf.tensordot(step, bend, 1)
        if tf.math.is_finite(self.loss) and along > 1e-10 * tf.tensordot(bend, bend, 1):
            self.steps.assign(tf.concat([self.steps[1:], step[tf.newaxis]], axis=0))
            self.bends.assign(tf.concat([self.bends[1:], bend[tf.newaxis]], axis=0))
            self.count.assign(tf.minimum(self.count + 1, self._memory))

    def _direction(self, gradient: tf.Tensor) -> tf.Tensor:
        """Minus the inverse curvature times the gradient, by the two loops of algorithm 7.4."""
        along = tf.reduce_sum(self.steps * self.bends, axis=1)
        known = tf.range(self._memory) >= self._memory - self.count
        inverse = tf.where(known, 1.0 / tf.where(known, along, 1.0), 0.0)
        rest, shares = gradient, []
        for index in reversed(range(self._memory)):
            share = inverse[index] * tf.tensordot(self.steps[index], rest, 1)
            shares.append(share)
            rest -= share * self.bends[index]
        newest = tf.tensordot(self.bends[-1], self.bends[-1], 1)
        rest *= tf.where(self.count > 0, along[-1] / (newest + 1e-30), 1.0)
        for index, share in zip(range(self._memory), reversed(shares), strict=True):
            rest += self.steps[index] * (share - inverse[index] * tf.tensordot(self.bends[index], rest, 1))
        return -rest
