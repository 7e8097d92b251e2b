"""Hiding a part of some images behind noise. TensorFlow only.

Zhong, Zheng, Kang, Li, Yang: Random erasing data augmentation (2020). As there, the part's area and shape are drawn and
it is filled with evenly drawn values, its best choice. Where we differ: a part that is longer than the image is cut
to it, where the paper draws again.
"""

from __future__ import annotations

import math

import tensorflow as tf

from records.specs.augmentation import Erase


def erase(images: tf.Tensor, spec: Erase, seed: tf.Tensor) -> tf.Tensor:
    """Erase a part of each image that its draw chooses.

    Args:
        images: float32 `[batch, height, width, channels]` of 0 to 255.
        spec: how often, how much, and of what shape.
        seed: `[2]` integers.
    """
    count, sides = tf.shape(images)[0], tf.cast(tf.shape(images)[1:3], tf.float32)
    draws = tf.random.stateless_uniform([count, 5], seed)
    area = (spec.area[0] + draws[:, 1] * (spec.area[1] - spec.area[0])) * tf.reduce_prod(sides)
    low, high = (math.log(shape) for shape in spec.ratio)
    shape = tf.exp(low + draws[:, 2] * (high - low))
    wanted = tf.stack([tf.sqrt(area / shape), tf.sqrt(area * shape)], axis=1)
    sizes = tf.clip_by_value(tf.round(wanted), 1.0, sides)
    corners = tf.floor(draws[:, 3:] * (sides - sizes + 1.0))
    noise = tf.random.stateless_uniform(tf.shape(images), tf.random.experimental.stateless_fold_in(seed, 1), 0.0, 255.0)
    return cover(images, noise, corners, sizes, chosen=draws[:, 0] < spec.probability)


def cover(images: tf.Tensor, noise: tf.Tensor, corners: tf.Tensor, sizes: tf.Tensor, *, chosen: tf.Tensor) -> tf.Tensor:
    """Noise in place of a box of each chosen image.

    Args:
        images: float32 `[batch, height, width, channels]`.
        noise: likewise.
        corners: `[batch, 2]`: the box's first row and column.
        sizes: `[batch, 2]`: its rows and columns.
        chosen: bool `[batch]`.
    """
    inside = _within(corners[:, 0], sizes[:, 0], images.shape[1])[:, :, None]
    inside &= _within(corners[:, 1], sizes[:, 1], images.shape[2])[:, None, :]
    return tf.where((inside & chosen[:, None, None])[..., None], noise, images)


def _within(first: tf.Tensor, size: tf.Tensor, side: int) -> tf.Tensor:
    """bool `[batch, side]`: which places of a side lie in the box."""
    places = tf.range(side, dtype=tf.float32)[None]
    return (places >= first[:, None]) & (places < (first + size)[:, None])
