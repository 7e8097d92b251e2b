"""What a picture should become, as one loss: features of the content, Gram matrices of the styles, smoothness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ml.style.features import Features
from ml.style.losses import content_loss, gram, style_loss, total_variation

Image = NDArray[np.float32]
"""`[height, width, 3]`, red, green, blue, 0 to 1."""


@dataclass(frozen=True)
class Weights:
    """How much each part counts, and which layers it looks at."""

    content: Mapping[str, float]
    """By layer."""
    style: Mapping[str, float]
    """By layer."""
    total_variation: float


@dataclass(frozen=True, eq=False)
class Style:
    """A style image and how much it counts beside others."""

    image: Image
    weight: float
    mask: NDArray[np.float32] | None = None
    """`[height, width]` over the *content*, 0 to 1: where this style goes. Everywhere without."""


class Objective:
    """The loss of a picture of one size.

    Args:
        features: of a feature network, by layer, for images of 0 to 255.
        weights: of the parts.
        content: what is shown; of the picture's size.
        styles: how it is painted, each of any size.
    """

    def __init__(self, features: Features, weights: Weights, content: Image, styles: Sequence[Style]) -> None:
        self._features = features
        self._weights = weights
        shown = self._look(tf.constant(content))
        self._content = {name: tf.stop_gradient(shown[name]) for name in weights.content}
        self._styles = [(style, self._grams(style)) for style in styles]
        self._masks = [self._masks_of(style, shown) for style in styles]
        self._value = tf.function(self._value_and_gradient)

    def value_and_gradient(self, image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, dict[str, tf.Tensor]]:
        """The loss of an image `[height, width, 3]` of 0 to 1, its gradient, and the parts that the loss is the sum of.

        Parts: `content`, `style`, `total_variation`, and `style/LAYER` for each layer of the style.
        """
        return self._value(image)

    def _value_and_gradient(self, image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, dict[str, tf.Tensor]]:
        with tf.GradientTape() as tape:
            tape.watch(image)
            parts = self._parts(image)
            loss = parts["content"] + parts["style"] + parts["total_variation"]
        return loss, tape.gradient(loss, image), parts

    def _parts(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        found = self._look(image)
        content = [w * content_loss(found[name], self._content[name]) for name, w in self._weights.content.items()]
        parts = {f"style/{name}": w * self._style(name, found[name]) for name, w in self._weights.style.items()}
        return {
            "content": tf.add_n(content or [tf.constant(0.0)]),
            "style": tf.add_n(list(parts.values()) or [tf.constant(0.0)]),
            "total_variation": self._weights.total_variation * total_variation(image),
            **parts,
        }

    def _style(self, name: str, found: tf.Tensor) -> tf.Tensor:
        """The loss of one layer, over all styles."""
        everywhere = gram(found) if not all(self._masks) else None
        losses = []
        for (style, grams), masks in zip(self._styles, self._masks, strict=True):
            seen = gram(found, masks[name]) if masks else everywhere
            losses.append(style.weight * style_loss(seen, grams[name]))
        return tf.add_n(losses)

    def _grams(self, style: Style) -> dict[str, tf.Tensor]:
        found = self._look(tf.constant(style.image))
        return {name: gram(found[name]) for name in self._weights.style}

    def _masks_of(self, style: Style, shown: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The style's mask on the places of each layer; empty without one."""
        if style.mask is None:
            return {}
        mask = tf.constant(style.mask)[..., tf.newaxis]
        sizes = {name: shown[name].shape[:2] for name in self._weights.style}
        return {name: tf.image.resize(mask, size, antialias=True)[..., 0] for name, size in sizes.items()}

    def _look(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        found = self._features(255.0 * image[tf.newaxis])
        return {name: maps[0] for name, maps in found.items()}
