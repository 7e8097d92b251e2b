"""The picture while it is worked out on one size: an image, an objective, and an optimizer that moves the one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ml.style.lbfgs import LBFGS
from ml.style.objective import Objective

Arrays = list[NDArray[np.generic]]


class Painter:
    """Takes steps on an image; its `arrays` hold all that the next step depends on.

    Args:
        objective: what the image should become.
        image: `[height, width, 3]`, 0 to 1, where it begins.
        optimizer: how it is moved; both keep every pixel within 0 to 1.
        learning_rate: Adam's.
    """

    def __init__(
        self,
        objective: Objective,
        image: NDArray[np.float32],
        *,
        optimizer: Literal["lbfgs", "adam"],
        learning_rate: float,
    ) -> None:
        self._objective = objective
        self._image = keras.Variable(image, dtype="float32")
        self._mover: _Mover = _ByLBFGS(image.size) if optimizer == "lbfgs" else _ByAdam(self._image, learning_rate)

    def step(self) -> dict[str, float]:
        """Move the image once. Returns the loss before it, and the parts that it is the sum of."""
        loss, gradient, parts = self._objective.value_and_gradient(tf.convert_to_tensor(self._image))
        moved = self._mover.move(self._image, loss, gradient)
        self._image.assign(tf.clip_by_value(moved, 0.0, 1.0))
        return {"loss": float(loss), **{name: float(part) for name, part in parts.items()}}

    def losses(self) -> dict[str, float]:
        """The loss of the image as it stands, and its parts."""
        loss, _, parts = self._objective.value_and_gradient(tf.convert_to_tensor(self._image))
        return {"loss": float(loss), **{name: float(part) for name, part in parts.items()}}

    @property
    def image(self) -> NDArray[np.float32]:
        """The image as it stands."""
        return self._image.numpy()

    @property
    def arrays(self) -> Arrays:
        """The image, then the optimizer's variables."""
        return [self.image, *(variable.numpy() for variable in self._mover.variables)]

    def restore(self, arrays: Sequence[NDArray[np.generic]]) -> None:
        """Put back what `arrays` gave."""
        for variable, array in zip([self._image, *self._mover.variables], arrays, strict=True):
            variable.assign(array)


class _Mover(Protocol):
    @property
    def variables(self) -> Sequence[tf.Variable | keras.Variable]: ...

    def move(self, image: keras.Variable, loss: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor: ...


class _ByAdam:
    def __init__(self, image: keras.Variable, learning_rate: float) -> None:
        self._adam = keras.optimizers.Adam(learning_rate)
        self._adam.build([image])

    @property
    def variables(self) -> Sequence[keras.Variable]:
        return self._adam.variables

    def move(self, image: keras.Variable, loss: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
        self._adam.apply([gradient], [image])
        return tf.convert_to_tensor(image)


class _ByLBFGS:
    def __init__(self, size: int) -> None:
        self._state = LBFGS(size)

    @property
    def variables(self) -> Sequence[tf.Variable]:
        return self._state.variables

    def move(self, image: keras.Variable, loss: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
        flat = tf.reshape(tf.convert_to_tensor(image), [-1])
        return tf.reshape(self._state.advance(flat, loss, tf.reshape(gradient, [-1])), gradient.shape)
