"""Random changes of brightness, contrast, saturation and hue, all as one matrix an image. TensorFlow only.

Haeberli: Matrix operations for image processing (1993). Each of the four is linear in red, green and blue, so their
product is one, and pixels are rounded off at black and white once, at the end; applied one after the other, as most
libraries do, each would round off by itself. Hue turns about the grey axis of the colour cube, which keeps greys grey
and leads red by 120 degrees into green exactly; it keeps the sum of the three, not the brightness that the eye sees.
"""

from __future__ import annotations

import math

import tensorflow as tf

from records.specs.augmentation import Augmentation

GREY = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in the brightness that the eye sees (ITU-R BT.601)."""


def recolour(images: tf.Tensor, augmentation: Augmentation, seed: tf.Tensor) -> tf.Tensor:
    """Change the colours of each image as its own draw says; the images themselves where nothing may change.

    Args:
        images: float32 `[batch, height, width, 1 or 3]` of 0 to 255.
        augmentation: its `brightness`, `contrast`, `saturation` and `hue_degrees` count here.
        seed: `[2]` integers.
    """
    widths = (augmentation.brightness, augmentation.contrast, augmentation.saturation, augmentation.hue_degrees)
    if not any(widths):
        return images
    draws = tf.random.stateless_uniform([tf.shape(images)[0], 4], seed, -1.0, 1.0) * tf.constant(widths, tf.float32)
    return adjust(
        images,
        brightness=1.0 + draws[:, 0],
        contrast=1.0 + draws[:, 1],
        saturation=1.0 + draws[:, 2],
        angle=draws[:, 3] * (math.pi / 180.0),
    )


def adjust(
    images: tf.Tensor, *, brightness: tf.Tensor, contrast: tf.Tensor, saturation: tf.Tensor, angle: tf.Tensor
) -> tf.Tensor:
    """Multiply brightness, then contrast about the image's mean grey, then saturation, then turn the hue.

    Args:
        images: float32 `[batch, height, width, 1 or 3]` of 0 to 255; of one channel, the last two do nothing.
        brightness: `[batch]`, as the rest; 1 changes nothing.
        contrast: 1 changes nothing, 0 leaves one grey.
        saturation: 1 changes nothing, 0 leaves a grey image.
        angle: of the hue, in radians; 0 changes nothing.
    """
    channels = images.shape[-1]
    weights = tf.constant(GREY if channels == 3 else (1.0,))
    mean = tf.reduce_sum(tf.reduce_mean(images, axis=(1, 2)) * weights, axis=1)
    gain = (brightness * contrast)[:, None, None]
    matrix = gain * (turning(angle) @ _saturating(saturation) if channels == 3 else tf.ones([1, 1, 1]))
    offset = mean * brightness * (1.0 - contrast)  # both matrices leave greys alone, so it stays as it is
    changed = tf.einsum("bhwc,bdc->bhwd", images, matrix) + offset[:, None, None, None]
    return tf.clip_by_value(changed, 0.0, 255.0)


def turning(angle: tf.Tensor) -> tf.Tensor:
    """Matrices `[batch, 3, 3]` that turn (red, green, blue) about the grey axis."""
    along = tf.constant([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / math.sqrt(3.0)
    cos, sin = tf.cos(angle)[:, None, None], tf.sin(angle)[:, None, None]
    return cos * tf.eye(3) + (1.0 - cos) / 3.0 + sin * along


def _saturating(saturation: tf.Tensor) -> tf.Tensor:
    """Matrices `[batch, 3, 3]` that lead away from grey, or towards it."""
    share = saturation[:, None, None]
    return share * tf.eye(3) + (1.0 - share) * tf.constant([GREY] * 3)
