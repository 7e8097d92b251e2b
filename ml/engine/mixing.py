"""Training images made of two, with labels to match. TensorFlow only.

MixUp: Zhang, Cisse, Dauphin, Lopez-Paz: mixup: beyond empirical risk minimization (2018). CutMix: Yun, Han, Oh, Chun,
Choe, Yoo: CutMix: regularization strategy to train strong classifiers with localizable features (2019). In both, each
image is paired with another of its batch. We draw the share for each image, as both papers write it down; their code
draws one a batch.
"""

from __future__ import annotations

import tensorflow as tf

from records.specs.augmentation import Augmentation


def mix(
    images: tf.Tensor, labels: tf.Tensor, augmentation: Augmentation, seed: tf.Tensor, *, classes: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Mix each image of a batch with another of it.

    Args:
        images: float32 `[batch, height, width, channels]`.
        labels: `[batch]`.
        augmentation: its `mixup` and `cutmix` count here; with both, each batch gets one, by the toss of a coin.
        seed: `[2]` integers.
        classes: how many there are.

    Returns:
        The images, and labels as shares float32 `[batch, classes]` that add up to 1.
    """
    tosses = tf.random.experimental.stateless_fold_in(seed, 1)
    other = tf.argsort(tf.random.stateless_uniform([tf.shape(labels)[0]], seed))
    pasted = tf.random.stateless_uniform([], tosses) < _chance_of_cutmix(augmentation)
    shares_seed = tf.random.experimental.stateless_fold_in(seed, 2)

    def blend() -> tuple[tf.Tensor, tf.Tensor]:
        share = draw_shares(augmentation.mixup or 1.0, tf.shape(labels)[0], shares_seed)
        return mix_up(images, other, share), share

    def paste() -> tuple[tf.Tensor, tf.Tensor]:
        share = draw_shares(augmentation.cutmix or 1.0, tf.shape(labels)[0], shares_seed)
        corners = tf.random.stateless_uniform(
            [tf.shape(labels)[0], 2], tf.random.experimental.stateless_fold_in(seed, 3)
        )
        return cut_mix(images, other, share, corners)

    mixed, kept = tf.cond(pasted, paste, blend)
    return tf.ensure_shape(mixed, images.shape), mix_labels(labels, other, kept, classes=classes)


def mix_up(images: tf.Tensor, other: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
    """Each image times its share, plus the other one times the rest; `other` and `share` are `[batch]`."""
    part = share[:, None, None, None]
    return images * part + tf.gather(images, other) * (1.0 - part)


def cut_mix(images: tf.Tensor, other: tf.Tensor, share: tf.Tensor, centres: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Paste a box of the other image, of the image's shape, over each; beyond the border it is cut off.

    Args:
        images: `[batch, height, width, channels]`.
        other: `[batch]`, the number of the other image.
        share: `[batch]`, of the area, that is to stay.
        centres: `[batch, 2]`: where the box's centre lies, as shares of height and width.

    Returns:
        The images, and the shares of the area that stayed, `[batch]`.
    """
    sides = tf.cast(tf.shape(images)[1:3], tf.float32)
    half = tf.sqrt(1.0 - share)[:, None] * sides / 2.0
    first = tf.clip_by_value(tf.floor(centres * sides - half + 0.5), 0.0, sides)
    last = tf.clip_by_value(tf.floor(centres * sides + half + 0.5), 0.0, sides)
    inside = (
        _between(first[:, 0], last[:, 0], sides[0])[:, :, None] & _between(first[:, 1], last[:, 1], sides[1])[:, None]
    )
    pasted = tf.where(inside[..., None], tf.gather(images, other), images)
    return pasted, 1.0 - tf.reduce_prod((last - first) / sides, axis=1)


def mix_labels(labels: tf.Tensor, other: tf.Tensor, share: tf.Tensor, *, classes: int) -> tf.Tensor:
    """float32 `[batch, classes]`: an image's own label by its share, the other's by the rest."""
    own = tf.one_hot(labels, classes)
    return own * share[:, None] + tf.gather(own, other) * (1.0 - share[:, None])


def draw_shares(concentration: float, count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """`[count]` draws from Beta(concentration, concentration), as one of two gamma draws in their sum."""
    both = tf.random.stateless_gamma([count, 2], seed, alpha=concentration)
    return tf.math.divide_no_nan(both[:, 0], both[:, 0] + both[:, 1])


def _chance_of_cutmix(augmentation: Augmentation) -> float:
    return 0.5 if augmentation.mixup and augmentation.cutmix else float(bool(augmentation.cutmix))


def _between(first: tf.Tensor, last: tf.Tensor, side: tf.Tensor) -> tf.Tensor:
    """`[batch, side]`: whether a row or column lies in the box."""
    places = tf.range(side)
    return (places >= first[:, None]) & (places < last[:, None])
