"""Keras layers, an activation and an initializer of Trainyard's own, for classic LeNet-5. Only `keras.ops`, no `tf`.

LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition. Proc. IEEE 86 (1998).
They are registered under `trainyard`, so that a saved model finds them again once this module is imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import keras
import numpy as np
from keras import ops

_registered = keras.saving.register_keras_serializable(package="trainyard")


@_registered
def scaled_tanh(x: Any) -> Any:
    """1.7159 · tanh(2x/3), which is close to 1 at 1 and to -1 at -1 (appendix A of the paper)."""
    return 1.7159 * ops.tanh(x * (2.0 / 3.0))


@_registered
class LeCun1998(keras.initializers.RandomUniform):
    """Uniform in ±2.4 / fan-in (section II.B of the paper), for kernels `[…, fan-in maps, units]`."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(minval=-1.0, maxval=1.0, seed=seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return super().__call__(shape, dtype) * (2.4 / prod(shape[:-1]))

    def get_config(self) -> dict[str, Any]:
        """The seed; the range follows from the shape."""
        return {"seed": super().get_config()["seed"]}


@_registered
class TrainableSubsampling2D(keras.layers.Layer):
    """The mean of each window · a coefficient + a bias, one of each a map.

    Takes `[batch, height, width, maps]`. Windows do not overlap; what is left over at the lower and right edge falls
    away. The paper multiplies the window's sum, so its coefficient is this one divided by the window's size.
    Coefficients begin at 1 and biases at 0, as a plain average pooling.
    """

    def __init__(self, pool_size: tuple[int, int] = (2, 2), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pool_size = tuple(pool_size)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make one coefficient and one bias a map."""
        maps = (input_shape[-1],)
        self.coefficient = self.add_weight(name="coefficient", shape=maps, initializer="ones")
        self.bias = self.add_weight(name="bias", shape=maps, initializer="zeros")

    def call(self, inputs: Any) -> Any:
        """The subsampled maps."""
        mean = ops.average_pool(inputs, self.pool_size, strides=self.pool_size, data_format="channels_last")
        return mean * self.coefficient + self.bias

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Height and width divided by the window's, rounded down."""
        batch, height, width, maps = input_shape
        return (batch, _divided(height, self.pool_size[0]), _divided(width, self.pool_size[1]), maps)

    def get_config(self) -> dict[str, Any]:
        """What makes this layer again."""
        return {**super().get_config(), "pool_size": self.pool_size}


@_registered
class PartialConv2D(keras.layers.Layer):
    """A convolution in which each output map sees only some input maps (C3 of the paper, table I).

    Takes `[batch, height, width, maps]`. The kernel holds one `[height, width]` slice for each connected pair, ordered
    by output map; to compute, the slices are set into a full kernel whose gaps are zero, so that one fast
    convolution does it all.

    Args:
        connections: for each output map, the input maps that it sees.
        kernel_size: height and width.
        strides: steps down and to the right.
        padding: `same` or `valid`.
        kernel_initializer: drawn for each output map by itself, with the fan-in that this map has.
    """

    def __init__(
        self,
        connections: Sequence[Sequence[int]],
        kernel_size: tuple[int, int],
        strides: tuple[int, int] = (1, 1),
        padding: str = "valid",
        kernel_initializer: Any = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.connections = tuple(tuple(seen) for seen in connections)
        self.kernel_size = tuple(kernel_size)
        self.strides = tuple(strides)
        self.padding = padding
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make a kernel slice for each connection and a bias for each output map."""
        self._maps = input_shape[-1]
        pairs = sum(len(seen) for seen in self.connections)
        self.kernel = self.add_weight(name="kernel", shape=(*self.kernel_size, pairs), initializer=self._draw_kernel)
        self.bias = self.add_weight(name="bias", shape=(len(self.connections),), initializer="zeros")

    def call(self, inputs: Any) -> Any:
        """The convolved maps."""
        kernel = self._full_kernel()
        maps = ops.conv(inputs, kernel, strides=self.strides, padding=self.padding, data_format="channels_last")
        return maps + self.bias

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """As of a full convolution with as many filters."""
        full = keras.layers.Conv2D(len(self.connections), self.kernel_size, strides=self.strides, padding=self.padding)
        shape: tuple[int | None, ...] = full.compute_output_shape(input_shape)
        return shape

    def get_config(self) -> dict[str, Any]:
        """What makes this layer again."""
        return {
            **super().get_config(),
            "connections": self.connections,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }

    def _full_kernel(self) -> Any:
        """`[height, width, maps, output maps]`, zero where two maps are not connected.

        A product with ones and zeros places the slices: its gradient is a product too, in the same order every time,
        which a gradient of a gather is not on every device.
        """
        flat = ops.matmul(ops.reshape(self.kernel, (prod(self.kernel_size), -1)), self._places())
        return ops.reshape(flat, (*self.kernel_size, self._maps, len(self.connections)))

    def _places(self) -> Any:
        """`[connections, maps · output maps]`: a one where a slice belongs."""
        outputs = len(self.connections)
        columns = [seen * outputs + output for output, maps in enumerate(self.connections) for seen in maps]
        places = np.zeros((len(columns), self._maps * outputs), "float32")
        places[np.arange(len(columns)), columns] = 1.0
        return ops.convert_to_tensor(places, dtype=self.compute_dtype)

    def _draw_kernel(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Each output map by itself: its fan-in differs from its neighbours'."""
        slices = []
        for output, seen in enumerate(self.connections):
            draw = _reseeded(self.kernel_initializer, output)
            slices.append(ops.squeeze(draw((*self.kernel_size, len(seen), 1), dtype), axis=-1))
        return ops.concatenate(slices, axis=-1)


def _reseeded(initializer: Any, by: int) -> Any:
    """The same initializer with another seed, since one that is asked twice draws the same numbers twice."""
    config = initializer.get_config()
    if config.get("seed") is not None:
        config["seed"] += by
    return initializer.from_config(config)


def _divided(size: int | None, by: int) -> int | None:
    return None if size is None else size // by
