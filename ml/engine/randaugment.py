"""A few of fourteen changes for each image. TensorFlow only.

Cubuk, Zoph, Shlens, Le: RandAugment: practical automated data augmentation with a reduced search space (2020). As
there: each image gets N changes, drawn evenly and with replacement, all at magnitude M. Where we differ: M goes from 0,
which changes nothing, to 10, the strongest, for every change; what comes into view from beyond the border mirrors the
image instead of being grey.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import tensorflow as tf

from ml.engine.colour import adjust
from records.specs.augmentation import RandAugment

Change = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""(image float32 `[height, width, 1 or 3]` of 0 to 255, strength from -1 to 1) -> the image, changed."""

MOST_DEGREES = 30.0
MOST_SHEAR = 0.3
MOST_SHIFT = 0.3
"""As a share of the side."""
MOST_BLEND = 0.9
"""Colour, contrast, brightness and sharpness are multiplied by 1 ± this."""
MOST_BITS = 4
"""Posterizing drops up to so many of the eight bits."""


def randaugment(images: tf.Tensor, spec: RandAugment, seed: tf.Tensor) -> tf.Tensor:
    """Change each image `spec.operations` times.

    Args:
        images: float32 `[batch, height, width, 1 or 3]` of 0 to 255.
        spec: how many changes, and how strong.
        seed: `[2]` integers.
    """
    draws = tf.random.stateless_uniform([tf.shape(images)[0], spec.operations, 2], seed)
    which = tf.cast(draws[..., 0] * len(CHANGES), tf.int32)
    strength = tf.where(draws[..., 1] < 0.5, -1.0, 1.0) * (spec.magnitude / 10.0)
    shape = images.shape[1:]

    def one(image: tf.Tensor, which: tf.Tensor, strength: tf.Tensor) -> tf.Tensor:
        for number in range(spec.operations):
            image = apply(image, which[number], strength[number])
        return tf.ensure_shape(image, shape)

    result = tf.TensorSpec(shape, tf.float32)
    return tf.map_fn(lambda given: one(*given), (images, which, strength), fn_output_signature=result)


def apply(image: tf.Tensor, which: tf.Tensor, strength: tf.Tensor) -> tf.Tensor:
    """One change, by its number in `CHANGES`."""
    return tf.switch_case(which, [lambda change=change: change(image, strength) for change in CHANGES.values()])


# ── of colour ────────────────────────────────────────────────────────────────────────────────────────────────


def stretch(image: tf.Tensor, _: tf.Tensor) -> tf.Tensor:
    """Each channel stretched so that its darkest value becomes 0 and its brightest 255 (autocontrast)."""
    low, high = tf.reduce_min(image, axis=(0, 1)), tf.reduce_max(image, axis=(0, 1))
    stretched = (image - low) * (255.0 / tf.maximum(high - low, 1e-3))
    return tf.where(high - low >= 1.0, tf.minimum(stretched, 255.0), image)


def equalize(image: tf.Tensor, _: tf.Tensor) -> tf.Tensor:
    """Each channel with its values spread so that all occur about equally often (histogram equalization)."""
    values = tf.cast(tf.round(image), tf.int32)
    channels = [_equalized(values[..., channel]) for channel in range(image.shape[-1])]
    return tf.stack(channels, axis=-1)


def solarize(image: tf.Tensor, strength: tf.Tensor) -> tf.Tensor:
    """Values above a threshold inverted; the stronger, the lower it is."""
    threshold = 256.0 * (1.0 - tf.abs(strength))
    return tf.where(image >= threshold, 255.0 - image, image)


def posterize(image: tf.Tensor, strength: tf.Tensor) -> tf.Tensor:
    """Only the first of each value's eight bits kept, the others 0."""
    step = 2.0 ** tf.round(MOST_BITS * tf.abs(strength))
    return tf.floor(tf.round(image) / step) * step


def sharpen(image: tf.Tensor, strength: tf.Tensor) -> tf.Tensor:
    """Away from, or towards, the image smoothed by (1 1 1, 1 5 1, 1 1 1) / 13; the outermost pixels stay."""
    kernel = tf.constant([[1.0, 1.0, 1.0], [1.0, 5.0, 1.0], [1.0, 1.0, 1.0]]) / 13.0
    channels = image.shape[-1]
    smoothed = tf.nn.depthwise_conv2d(
        image[None], tf.tile(kernel[:, :, None, None], [1, 1, channels, 1]), [1, 1, 1, 1], "VALID"
    )[0]
    inner = image[1:-1, 1:-1]
    change = tf.pad((inner - smoothed) * (MOST_BLEND * strength), [[1, 1], [1, 1], [0, 0]])
    return tf.clip_by_value(image + change, 0.0, 255.0)


def _blended(name: str) -> Change:
    """A change of brightness, contrast or saturation by 1 ± `MOST_BLEND`."""

    def change(image: tf.Tensor, strength: tf.Tensor) -> tf.Tensor:
        factors = {"brightness": 1.0, "contrast": 1.0, "saturation": 1.0, name: 1.0 + MOST_BLEND * strength}
        each = {key: tf.reshape(tf.cast(value, tf.float32), [1]) for key, value in factors.items()}
        return adjust(image[None], **each, angle=tf.zeros([1]))[0]

    return change


def _equalized(values: tf.Tensor) -> tf.Tensor:
    """One channel int32 `[height, width]`: each value becomes 255 times the share of pixels up to it, the darkest 0."""
    counts = tf.math.bincount(tf.reshape(values, [-1]), minlength=256, maxlength=256)
    darkest = tf.gather(counts, tf.reduce_min(values))
    brighter = tf.size(values) - darkest
    shares = (tf.cumsum(counts) - darkest) / tf.maximum(brighter, 1)
    spread = tf.gather(255.0 * tf.cast(shares, tf.float32), values)
    return tf.where(brighter > 0, spread, tf.cast(values, tf.float32))


# ── of place ─────────────────────────────────────────────────────────────────────────────────────────────────


def rotate(image: tf.Tensor, strength: tf.Tensor) -> tf.Tensor:
    """Turned about the centre, anticlockwise where the strength is positive."""
    angle = strength * math.radians(MOST_DEGREES)
    cos, sin = tf.cos(angle), tf.sin(angle)
    return _moved(image, (cos, -sin, sin, cos), (0.0, 0.0))


def shear_x(image: tf.Tensor, strength: tf.Tensor) -> tf.Tensor:
    """Rows moved sideways, the further the lower they lie."""
    return _moved(image, (1.0, MOST_SHEAR * strength, 0.0, 1.0), (0.0, 0.0))


def shear_y(image: tf.Tensor, strength: tf.Tensor) -> tf.Tensor:
    """Columns moved up or down, the further to the right."""
    return _moved(image, (1.0, 0.0, MOST_SHEAR * strength, 1.0), (0.0, 0.0))


def shift_x(image: tf.Tensor, strength: tf.Tensor) -> tf.Tensor:
    """Moved to the left where the strength is positive."""
    return _moved(image, (1.0, 0.0, 0.0, 1.0), (MOST_SHIFT * strength * image.shape[1], 0.0))


def shift_y(image: tf.Tensor, strength: tf.Tensor) -> tf.Tensor:
    """Moved up where the strength is positive."""
    return _moved(image, (1.0, 0.0, 0.0, 1.0), (0.0, MOST_SHIFT * strength * image.shape[0]))


def _moved(image: tf.Tensor, matrix: tuple[object, ...], shift: tuple[object, object]) -> tf.Tensor:
    """Each place of the result shows what lies at `matrix` · (x, y) from the centre, plus `shift`."""
    height, width = image.shape[:2]
    x, y = (width - 1) / 2, (height - 1) / 2
    a, b, c, d = (tf.cast(value, tf.float32) for value in matrix)
    right, down = x - a * x - b * y + shift[0], y - c * x - d * y + shift[1]
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=image[None],
        transforms=tf.stack([a, b, right, c, d, down, 0.0, 0.0])[None],
        output_shape=[height, width],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )[0]


CHANGES: dict[str, Change] = {
    "identity": lambda image, _: image,
    "autocontrast": stretch,
    "equalize": equalize,
    "rotate": rotate,
    "solarize": solarize,
    "color": _blended("saturation"),
    "posterize": posterize,
    "contrast": _blended("contrast"),
    "brightness": _blended("brightness"),
    "sharpness": sharpen,
    "shear-x": shear_x,
    "shear-y": shear_y,
    "translate-x": shift_x,
    "translate-y": shift_y,
}
"""The paper's fourteen, in its order."""
