"""The start of a transposed convolution as an interpolation. Only `keras.ops`, no `tf`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

_registered = keras.saving.register_keras_serializable(package="trainyard")


@_registered
class Bilinear(keras.initializers.Initializer):
    """Kernels `[height, width, maps, maps]` with which a transposed convolution interpolates each map by itself.

    Long, Shelhamer, Darrell: Fully convolutional networks for semantic segmentation (2015), section 3.3. With strides
    of s, a window of 2s - s mod 2 interpolates exactly.
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """The kernel; other maps than a map's own have no part in it."""
        height, width, filters, channels = shape
        kernel = np.zeros(shape, np.float32)
        maps = np.arange(min(filters, channels))
        kernel[:, :, maps, maps] = np.outer(ramp(height), ramp(width))[..., np.newaxis]
        return ops.convert_to_tensor(kernel, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """Nothing: it follows from the shape."""
        return {}


def ramp(window: int) -> NDArray[np.float64]:
    """Weights `[window]` of a place for those around it: falling from the middle by a line."""
    step = (window + 1) // 2
    middle = step - 1 if window % 2 else step - 0.5
    return 1 - np.abs(np.arange(window) - middle) / step
