"""Keras layers of Trainyard's own that work across maps. Only `keras.ops`.

They are registered under `trainyard`, so that a saved model finds them again once this module is imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

_registered = keras.saving.register_keras_serializable(package="trainyard")


@_registered
class LocalResponseNormalization(keras.layers.Layer):
    """a / (k + alpha · Σ a²) ** beta, the sum over `size` neighbouring maps at the same place.

    Krizhevsky, Sutskever, Hinton: ImageNet classification with deep convolutional neural networks (2012), section 3.3.
    Takes `[batch, height, width, maps]`; map i sums over maps i - size // 2 to i + size // 2, as far as there are such.
    `tf.nn.local_response_normalization` computes the same with `depth_radius` for size // 2 and `bias` for k; Caffe and
    PyTorch divide alpha by `size`. 16-bit activations are squared in 32 bits, as float16 ends at 65,504.
    """

    def __init__(self, size: int = 5, k: float = 2.0, alpha: float = 1e-4, beta: float = 0.75, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if size < 1 or size % 2 == 0:
            raise ValueError(f"Expected an odd size, to reach as far on both sides, got {size}.")
        self.size, self.k, self.alpha, self.beta = size, k, alpha, beta

    def call(self, inputs: Any) -> Any:
        """The maps, normalised.

        The sum is a product with a band of ones, which takes a quarter of the time of adding shifted maps.
        """
        maps = ops.cast(inputs, "float32")
        sums = self.k + self.alpha * ops.matmul(ops.square(maps), self._band(inputs.shape[-1]))
        return ops.cast(maps * self._negative_power(sums), inputs.dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """As it came."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """What makes this layer again."""
        own = {"size": self.size, "k": self.k, "alpha": self.alpha, "beta": self.beta}
        return {**super().get_config(), **own}

    def _band(self, maps: int) -> Any:
        """`[maps, maps]`: a one where the column's map has the row's in its sum."""
        numbers = np.arange(maps)
        near = abs(numbers[:, None] - numbers) <= self.size // 2
        return ops.convert_to_tensor(near.astype("float32"))

    def _negative_power(self, sums: Any) -> Any:
        if self.beta != 0.75:
            return ops.power(sums, -self.beta)
        root = ops.rsqrt(sums)  # two roots take half the time of a power
        return root * ops.sqrt(root)


@_registered
class ChannelPadding(keras.layers.Layer):
    """Maps of zeros behind the others, until there are `channels`. Takes `[batch, height, width, maps]`."""

    def __init__(self, channels: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channels = channels

    def call(self, inputs: Any) -> Any:
        """The maps, then the zeros."""
        return ops.pad(inputs, ((0, 0), (0, 0), (0, 0), (0, self.channels - inputs.shape[-1])))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """As it came, with `channels` maps."""
        return (*input_shape[:-1], self.channels)

    def get_config(self) -> dict[str, Any]:
        """What makes this layer again."""
        return {**super().get_config(), "channels": self.channels}


@_registered
class ChannelOrder(keras.layers.Layer):
    """The channels in another order. Takes `[…, channels]`; `order` names, for each that goes out, the one that comes.

    Cut and joined again, not gathered: the gradient of a gather is not the same every time on every device.
    """

    def __init__(self, order: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.order = tuple(order)

    def call(self, inputs: Any) -> Any:
        """The channels, reordered."""
        channels = ops.split(inputs, len(self.order), axis=-1)
        return ops.concatenate([channels[place] for place in self.order], axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """As it came."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """What makes this layer again."""
        return {**super().get_config(), "order": self.order}


@_registered
class GroupedConv2D(keras.layers.Conv2D):
    """Keras's convolution in a few groups, as one convolution a group side by side.

    Keras compiles a grouped convolution with XLA on TensorFlow, because the CPU has no gradient for it otherwise. On
    two cores a training step of AlexNet's second layer takes a tenth of the time this way.
    """

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """The convolved maps, without bias."""
        pairs = zip(ops.split(inputs, self.groups, axis=-1), ops.split(kernel, self.groups, axis=-1), strict=True)
        parts = [
            ops.conv(
                maps,
                part,
                strides=list(self.strides),
                padding=self.padding,
                data_format="channels_last",
                dilation_rate=self.dilation_rate,
            )
            for maps, part in pairs
        ]
        return ops.concatenate(parts, axis=-1)
