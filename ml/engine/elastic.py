"""Bending each image as if it were drawn on rubber. TensorFlow only.

Simard, Steinkraus, Platt: Best practices for convolutional neural networks applied to visual document analysis (2003):
handwriting varies as if the hand trembled. As in Ronneberger, Fischer, Brox: U-Net (2015), pixels are drawn away at the
points of a coarse grid, and between these the way is interpolated bicubically: one number says how far, another how
fine, whatever the size of the images. What comes into view from beyond the border mirrors the image.
"""

from __future__ import annotations

import tensorflow as tf

from records.specs.augmentation import Elastic


def bend(images: tf.Tensor, spec: Elastic, seed: tf.Tensor) -> tf.Tensor:
    """Bend each image by its own draw.

    Args:
        images: float32 `[batch, height, width, channels]`.
        spec: how far and how fine.
        seed: `[2]` integers.
    """
    height, width = images.shape[1:3]
    shape = [tf.shape(images)[0], spec.points, spec.points, 2]
    pulls = tf.random.stateless_normal(shape, seed, stddev=spec.strength) * tf.constant([height, width], tf.float32)
    return displace_pixels(images, tf.image.resize(pulls, [height, width], method="bicubic"))


def displace_pixels(images: tf.Tensor, ways: tf.Tensor) -> tf.Tensor:
    """Each pixel shows what lies away from it, bilinearly.

    Args:
        images: float32 `[batch, height, width, channels]`.
        ways: float32 `[batch, height, width, 2]`: how far down and to the right, in pixels.
    """
    height, width = images.shape[1:3]
    down = tf.range(height, dtype=tf.float32)[None, :, None] + ways[..., 0]
    right = tf.range(width, dtype=tf.float32)[None, None, :] + ways[..., 1]
    top, left = tf.floor(down), tf.floor(right)
    below, beside = (down - top)[..., None], (right - left)[..., None]
    rows = [_mirrored(top + step, height) for step in (0.0, 1.0)]
    columns = [_mirrored(left + step, width) for step in (0.0, 1.0)]
    flat = tf.reshape(images, [tf.shape(images)[0], height * width, images.shape[-1]])

    def at(row: tf.Tensor, column: tf.Tensor) -> tf.Tensor:
        return tf.gather(flat, row * width + column, axis=1, batch_dims=1)

    upper = at(rows[0], columns[0]) * (1.0 - beside) + at(rows[0], columns[1]) * beside
    lower = at(rows[1], columns[0]) * (1.0 - beside) + at(rows[1], columns[1]) * beside
    return tf.ensure_shape(upper * (1.0 - below) + lower * below, images.shape)


def _mirrored(places: tf.Tensor, side: int) -> tf.Tensor:
    """Whole places along a side, those beyond it mirrored at its edge, int32."""
    turned = tf.math.floormod(tf.cast(places, tf.int32), 2 * side)
    return tf.minimum(turned, 2 * side - 1 - turned)
