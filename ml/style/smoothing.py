"""Smooth activations, without which networks with shortcuts give poor pictures. Only `keras.ops`."""

from __future__ import annotations

from typing import Any

from keras import ops


def smooth(features: Any) -> Any:
    """A softmax over all of an image's activations in a layer, as if they were chances.

    Wang, Li, Vasconcelos: Rethinking and improving the robustness of image style transfer (CVPR 2021), equation 7. A
    few large activations otherwise outweigh all else in Gram matrices of networks with shortcuts. Ours are divided by
    their mean, so that they are 1 on average whatever the picture's size, and pictures of two sizes compare.

    Args:
        features: `[batch, height, width, channels]`.
    """
    shape = ops.shape(features)
    flat = ops.reshape(ops.cast(features, "float32"), (shape[0], -1))
    shares = ops.softmax(flat, axis=-1) * ops.cast(ops.shape(flat)[1], "float32")
    return ops.reshape(shares, shape)
