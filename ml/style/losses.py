"""What content, style and smoothness are, as numbers that can be made small. Only `keras.ops`.

Gatys, Ecker, Bethge: Image style transfer using convolutional neural networks (CVPR 2016), equations 1 to 7. There the
losses are sums of squares, whose size follows from the image, the layer and the feature network. Here each is divided
by the sum of squares of what it should become: 0 is reached, 1 is as far away as nothing at all. So one set of weights
holds for every size and every feature network.
"""

from __future__ import annotations

from typing import Any

from keras import ops

Tensor = Any

EPSILON = 1e-12


def gram(features: Tensor, mask: Tensor | None = None) -> Tensor:
    """How often each two features occur together (equation 3), divided by the number of places.

    Args:
        features: `[height, width, channels]`.
        mask: `[height, width]`, 0 to 1, how much each place counts (Gatys et al. 2017, section 5); all alike without.

    Returns:
        `[channels, channels]`, symmetric, in float32.
    """
    height, width, channels = features.shape
    flat = ops.reshape(ops.cast(features, "float32"), (-1, channels))
    if mask is None:
        places = height * width if height and width else ops.shape(flat)[0]
        return ops.matmul(ops.transpose(flat), flat) / ops.cast(places, "float32")
    weights = ops.reshape(ops.cast(mask, "float32"), (-1, 1))
    return ops.matmul(ops.transpose(flat * weights), flat) / (ops.sum(weights) + EPSILON)


def style_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """How far one Gram matrix is from another, as a share of the other's squares (equation 4)."""
    return ops.sum(ops.square(found - wanted)) / (ops.sum(ops.square(wanted)) + EPSILON)


def content_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """How far features `[height, width, channels]` are from others, as a share of the others' squares (equation 1)."""
    found, wanted = ops.cast(found, "float32"), ops.cast(wanted, "float32")
    return ops.sum(ops.square(found - wanted)) / (ops.sum(ops.square(wanted)) + EPSILON)


def total_variation(image: Tensor) -> Tensor:
    """The mean of the squared differences between neighbours of an image `[height, width, 3]`.

    Mahendran, Vedaldi: Understanding deep image representations by inverting them (2015), equation 5 with β = 2.
    """
    down = image[1:] - image[:-1]
    right = image[:, 1:] - image[:, :-1]
    return ops.mean(ops.square(down)) + ops.mean(ops.square(right))
