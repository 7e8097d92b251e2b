"""Which part of each image a step sees, and whether it is mirrored. TensorFlow only.

Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich: Going deeper with convolutions (2015),
section 6: a part of 8 to 100 % of the area and of a shape of 3:4 to 4:3. As in the code that made it common, parts are
drawn until one fits into the image, at most ten times; then it is the largest middle part of an allowed shape.

Images go through one by one: cutting first and resizing the part alone takes half the time of
`tf.image.crop_and_resize` on the batch, and a mirror image that is made of it is nearly free.
"""

from __future__ import annotations

import math

import tensorflow as tf

from records.specs.augmentation import Augmentation, Crop

TRIES = 10


def frame(
    images: tf.Tensor,
    augmentation: Augmentation,
    seed: tf.Tensor,
    *,
    size: tuple[int, int] | None = None,
    aspects: tf.Tensor | None = None,
) -> tf.Tensor:
    """Cut and mirror each image as its own draw says.

    Args:
        images: `[batch, height, width, channels]`.
        augmentation: its `crop` and `flip` count here.
        seed: `[2]` integers.
        size: height and width of the result; that of the images when left out.
        aspects: `[batch]`: width / height of the photograph that fills each image; that of the images when left out.

    Returns:
        float32 where parts are cut, else the type of the images.
    """
    count, (height, width) = tf.shape(images)[0], images.shape[1:3]
    draws = tf.random.stateless_uniform([count, 2], seed)
    across = draws[:, 0] < (0.5 if augmentation.flip in ("horizontal", "both") else 0.0)
    down = draws[:, 1] < (0.5 if augmentation.flip in ("vertical", "both") else 0.0)
    if augmentation.crop is None:
        return mirror(images, across=across, down=down)
    if aspects is None:
        aspects = tf.fill([count], width / height)
    parts = draw_parts(augmentation.crop, aspects, tf.random.experimental.stateless_fold_in(seed, 1))
    return cut(images, to_pixels(parts, height, width), across=across, down=down, size=size or (height, width))


def draw_parts(crop: Crop, aspects: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Parts `[batch, 4]` as (top, left, height, width), each as a share of the image's side.

    Args:
        crop: areas and shapes that are allowed.
        aspects: `[batch]`, width / height of each image.
        seed: `[2]` integers.
    """
    draws = tf.random.stateless_uniform([tf.shape(aspects)[0], TRIES + 1, 2], seed)
    area = crop.scale[0] + draws[:, :TRIES, 0] * (crop.scale[1] - crop.scale[0])
    low, high = (math.log(shape) for shape in crop.ratio)
    shape = tf.exp(low + draws[:, :TRIES, 1] * (high - low))
    heights = tf.sqrt(area * aspects[:, None] / shape)
    widths = tf.sqrt(area * shape / aspects[:, None])
    fits = (heights <= 1.0) & (widths <= 1.0)
    first = tf.argmax(fits, axis=1, output_type=tf.int32)  # of equals the first
    drawn = tf.stack([_at(heights, first), _at(widths, first)], axis=1)
    sides = tf.where(tf.reduce_any(fits, axis=1)[:, None], drawn, _middle(crop, aspects))
    corners = tf.where(tf.reduce_any(fits, axis=1)[:, None], draws[:, TRIES], 0.5) * (1.0 - sides)
    return tf.concat([corners, sides], axis=1)


def to_pixels(parts: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Shares of the sides as whole pixels, int32 `[batch, 4]`, at least one pixel and never beyond the border."""
    whole = tf.constant([height, width], tf.float32)
    sides = tf.clip_by_value(tf.round(parts[:, 2:] * whole), 1.0, whole)
    corners = tf.clip_by_value(tf.round(parts[:, :2] * whole), 0.0, whole - sides)
    return tf.cast(tf.concat([corners, sides], axis=1), tf.int32)


def cut(images: tf.Tensor, parts: tf.Tensor, *, across: tf.Tensor, down: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Each image's part (top, left, height, width, in pixels), brought to a size bilinearly, perhaps mirrored."""

    def one(image: tf.Tensor, part: tf.Tensor, across: tf.Tensor, down: tf.Tensor) -> tf.Tensor:
        shown = tf.slice(image, [part[0], part[1], 0], [part[2], part[3], -1])
        resized = tf.raw_ops.ResizeBilinear(
            images=tf.cast(shown, tf.float32)[None], size=list(size), half_pixel_centers=True
        )[0]
        return _mirrored(resized, across, down)

    result = tf.TensorSpec([*size, images.shape[-1]], tf.float32)
    return tf.map_fn(lambda given: one(*given), (images, parts, across, down), fn_output_signature=result)


def mirror(images: tf.Tensor, *, across: tf.Tensor, down: tf.Tensor) -> tf.Tensor:
    """Each image, mirrored left to right where `across` says so, and upside down where `down` does."""
    result = tf.TensorSpec(images.shape[1:], images.dtype)
    return tf.map_fn(lambda given: _mirrored(*given), (images, across, down), fn_output_signature=result)


def _mirrored(image: tf.Tensor, across: tf.Tensor, down: tf.Tensor) -> tf.Tensor:
    """`tf.reverse` of one image: reversing by a slice takes twenty times as long."""
    image = tf.cond(across, lambda: tf.reverse(image, [1]), lambda: image)
    return tf.cond(down, lambda: tf.reverse(image, [0]), lambda: image)


def _middle(crop: Crop, aspects: tf.Tensor) -> tf.Tensor:
    """Height and width of the largest middle part of an allowed shape, `[batch, 2]`."""
    shape = tf.clip_by_value(aspects, *crop.ratio)
    return tf.stack([tf.minimum(1.0, aspects / shape), tf.minimum(1.0, shape / aspects)], axis=1)


def _at(values: tf.Tensor, column: tf.Tensor) -> tf.Tensor:
    return tf.gather(values, column, axis=1, batch_dims=1)
