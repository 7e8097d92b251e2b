"""What a spec and its pictures ask to be painted, on each size: the loss, and where it begins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ml.networks.feature_networks import FeatureNetwork
from ml.style.colours import match_colours, with_colours_of
from ml.style.features import Features
from ml.style.objective import Objective, Style, Weights
from ml.style.pictures import Pixels, read_mask, read_picture, resize, resize_mask
from ml.style.sizes import Level, fit
from records.errors import PictureUnsuitable
from records.specs import StyleTransferSpec

LEAST_SHOWN = 1e-3
"""A mask must show so much of the picture, as a share of its area."""


class Sketch:
    """The pictures of one job.

    Args:
        spec: what was asked.
        inputs: files by role: `content`, and of each style `styles.0.picture`, perhaps `styles.0.mask`.

    Raises:
        PictureUnsuitable: a mask shows nothing.
    """

    def __init__(self, spec: StyleTransferSpec, inputs: Mapping[str, Path]) -> None:
        self._spec = spec
        self.content = read_picture(inputs["content"], spec.size)
        """No larger than it is to be painted; the styles likewise."""
        total = sum(style.weight for style in spec.styles)
        self.styles = [
            Style(
                read_picture(inputs[f"styles.{index}.picture"], spec.size),
                style.weight / total,
                None if style.mask is None else _shown(inputs[f"styles.{index}.mask"], spec.size, index),
            )
            for index, style in enumerate(spec.styles)
        ]
        if spec.preserve_colors == "histogram":
            self.styles = [
                Style(match_colours(style.image, self.content), style.weight, style.mask) for style in self.styles
            ]

    def objective(self, features: Features, weights: Weights, level: Level) -> Objective:
        """The loss on one size. Styles are brought to the same longer side, so that strokes grow with the picture."""
        content = resize(self.content, level.height, level.width)
        longest = max(level.height, level.width)
        styles = [
            Style(
                resize(style.image, *fit(*style.image.shape[:2], longest)),
                style.weight,
                None if style.mask is None else resize_mask(style.mask, level.height, level.width),
            )
            for style in self.styles
        ]
        return Objective(features, weights, content, styles)

    def begin(self, level: Level) -> Pixels:
        """The first picture, on the coarsest size."""
        if self._spec.start == "noise":
            noise = np.random.default_rng(self._spec.seed).normal(0.5, 0.15, (level.height, level.width, 3))
            return np.clip(noise, 0, 1).astype(np.float32)
        source = self.content if self._spec.start == "content" else self.styles[0].image
        return resize(source, level.height, level.width)

    def finish(self, image: Pixels) -> Pixels:
        """The picture as it is shown: with the content's own colours where they are to be kept that way."""
        if self._spec.preserve_colors != "luminance":
            return image
        return with_colours_of(image, resize(self.content, *image.shape[:2]))


def weigh(spec: StyleTransferSpec, chosen: FeatureNetwork) -> Weights:
    """How much each layer counts: the spec's layers, or those of the feature network; shares add up to 1."""
    return Weights(
        content=_shares(spec.content_layers or chosen.content, spec.content_weight),
        style=_shares(spec.style_layers or chosen.style, spec.style_weight),
        total_variation=spec.total_variation_weight,
    )


def layers_of(weights: Weights) -> list[str]:
    """The layers that are looked at."""
    return list({**weights.content, **weights.style})


def _shares(layers: Mapping[str, float], weight: float) -> dict[str, float]:
    total = sum(layers.values())
    return {name: weight * share / total for name, share in layers.items() if share and weight}


def _shown(path: Path, longest_px: int, index: int) -> Pixels:
    mask = read_mask(path, longest_px)
    if mask.mean() < LEAST_SHOWN:
        raise PictureUnsuitable(
            f"The mask of style {index} is black all over, so that its style would go nowhere. Paint white where the "
            "style is to go, or leave the style out."
        )
    return mask
