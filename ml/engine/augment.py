"""Random changes of a batch of training images, each image by its own draw. TensorFlow only.

Equal seeds give equal draws, eagerly and inside `tf.data`. Each kind of change draws from a seed of its own, so that
one that is switched on leaves the draws of the others as they were.
"""

from __future__ import annotations

import math

import tensorflow as tf

from ml.engine.colour import recolour
from ml.engine.elastic import bend
from ml.engine.erasing import erase
from ml.engine.framing import frame
from ml.engine.randaugment import randaugment
from ml.engine.seeds import COLOUR, ELASTIC, ERASING, FRAMING, RANDAUGMENT, derived
from records.specs.augmentation import Augmentation


def augment(
    images: tf.Tensor,
    augmentation: Augmentation,
    seed: tf.Tensor,
    *,
    size: tuple[int, int] | None = None,
    aspects: tf.Tensor | None = None,
) -> tf.Tensor:
    """Change each image at random: its part and side, its place, its form, some of many changes, its colours; then hide
    a part of it.

    Args:
        images: `[batch, height, width, channels]` of 0 to 255.
        augmentation: what may change, and how far.
        seed: `[2]` integers.
        size: height and width of the result, where a crop is asked for; else it is that of the images.
        aspects: `[batch]`: width / height of each photograph before it was squeezed into the images' shape, for crops.

    Returns:
        float32 `[batch, *size, channels]`, of 0 to 255; not rounded.
    """
    if augmentation.crop is not None or augmentation.flip != "none":
        images = frame(images, augmentation, derived(seed, FRAMING), size=size, aspects=aspects)
    images = tf.cast(images, tf.float32)
    if augmentation.shift or augmentation.rotate_degrees or augmentation.zoom:
        images = displace(images, augmentation, seed)
    if augmentation.elastic is not None:
        images = bend(images, augmentation.elastic, derived(seed, ELASTIC))
    if augmentation.randaugment is not None:
        images = randaugment(images, augmentation.randaugment, derived(seed, RANDAUGMENT))
    images = recolour(images, augmentation, derived(seed, COLOUR))
    if augmentation.erase is not None:
        images = erase(images, augmentation.erase, derived(seed, ERASING))
    return images


def displace(images: tf.Tensor, augmentation: Augmentation, seed: tf.Tensor) -> tf.Tensor:
    """Shift, turn and zoom each image.

    The three are composed into one matrix, so pixels are interpolated once, bilinearly. What comes into view from
    beyond the border mirrors the image.
    """
    height, width = images.shape[1:3]
    draws = tf.random.stateless_uniform([tf.shape(images)[0], 4], seed, -1.0, 1.0)
    return warp(
        images,
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
