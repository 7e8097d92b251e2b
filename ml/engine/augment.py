"""Random shift, rotation and zoom of a batch as one projective warp. TensorFlow only."""

from __future__ import annotations

import math

import tensorflow as tf

from records.specs.train import Augmentation


def augment(images: tf.Tensor, augmentation: Augmentation, seed: tf.Tensor) -> tf.Tensor:
    """Warp each image by its own draw; equal seeds give equal draws.

    Shift, rotation and zoom are composed into one matrix, so pixels are interpolated once, bilinearly. What comes into
    view from beyond the border mirrors the image.

    Args:
        images: `[batch, height, width, channels]`, any range.
        augmentation: the largest shift, rotation and zoom.
        seed: `[2]` integers.

    Returns:
        float32 of the same shape and range.
    """
    height, width = images.shape[1:3]
    draws = tf.random.stateless_uniform([tf.shape(images)[0], 4], seed, -1.0, 1.0)
    return warp(
        tf.cast(images, tf.float32),
        down_px=draws[:, 0] * (augmentation.shift * height),
        right_px=draws[:, 1] * (augmentation.shift * width),
        angle=draws[:, 2] * math.radians(augmentation.rotate_degrees),
        zoom=1.0 + draws[:, 3] * augmentation.zoom,
    )


def warp(images: tf.Tensor, *, down_px: tf.Tensor, right_px: tf.Tensor, angle: tf.Tensor, zoom: tf.Tensor) -> tf.Tensor:
    """Zoom and turn each image about its centre, then shift it.

    Args:
        images: float32 `[batch, height, width, channels]`.
        down_px: `[batch]`, as the rest: how far the content moves down.
        right_px: how far it moves right.
        angle: anticlockwise as seen, in radians.
        zoom: above 1 the content grows.
    """
    height, width = images.shape[1:3]
    centre_y, centre_x = (height - 1) / 2, (width - 1) / 2
    # The matrix leads from a place in the result back to its place in the source, so everything is inverted.
    cos, sin = tf.cos(angle) / zoom, tf.sin(angle) / zoom
    to_x, to_y = centre_x + right_px, centre_y + down_px
    zero = tf.zeros_like(cos)
    matrix = [cos, -sin, centre_x - cos * to_x + sin * to_y, sin, cos, centre_y - sin * to_x - cos * to_y, zero, zero]
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack(matrix, axis=1),
        output_shape=[height, width],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )
