"""MobileNetV2: inverted residual blocks, wide inside and narrow between.

Sandler, Howard, Zhu, Zhmoginov, Chen: MobileNetV2: inverted residuals and linear bottlenecks (2018), table 2.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ml.networks.blocks import MOMENTUM, Stem, convolve
from ml.networks.graph import LOGITS, PROBABILITIES, Draft, Network
from ml.networks.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    Rescaling,
)
from records.specs.base import Strict

STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Expansion, filters, blocks, strides of the first block (t, c, n, s in the paper)."""

NORM = BatchNormalization(momentum=MOMENTUM, epsilon=1e-3)


class MobileNetV2Options(Strict):
    """The options of MobileNetV2."""

    stem: Stem = "imagenet"
    """`cifar`: neither the first convolution nor the second stage makes maps smaller."""
    alpha: Annotated[float, Field(ge=0.1, le=4.0)] = 1.0
    """The width multiplier of the paper: what the number of filters is multiplied by."""
    dropout: Annotated[float, Field(ge=0.0, le=0.9)] = 0.2
    """Share of the last means that is dropped in training."""


def mobilenet_v2(input_shape: tuple[int, int, int], classes: int, options: MobileNetV2Options) -> Network:
    """MobileNetV2 for raw images of 0 to 255, which are brought to -1 to 1.

    With 1000 classes it has 3,538,984 parameters, of which 3,504,872 are trained: the count of Keras's. As there, and
    in the authors' code, the last convolution keeps its 1280 filters when `alpha` is below 1, and filters are rounded
    to multiples of 8 without losing more than a tenth.
    """
    draft = Draft("mobilenet_v2", input_shape)
    draft.add("rescaling", Rescaling(1 / 127.5, -1.0))
    small = options.stem == "cifar"
    channels = _rounded(32 * options.alpha)
    _convolve(draft, "c1", channels, 3, strides=1 if small else 2)
    for stage, (expansion, filters, blocks, first_strides) in enumerate(STAGES, start=1):
        for number in range(1, blocks + 1):
            strides = first_strides if number == 1 and not (small and stage == 2) else 1
            filters_now = _rounded(filters * options.alpha)
            _inverted_residual(draft, f"s{stage}_{number}", channels, filters_now, expansion=expansion, strides=strides)
            channels = filters_now
    _convolve(draft, "c2", _rounded(1280 * max(1.0, options.alpha)), 1)
    draft.add("pool", GlobalAveragePooling2D())
    if options.dropout:
        draft.add("dropout", Dropout(options.dropout))
    draft.add(LOGITS, Dense(classes))
    draft.add(PROBABILITIES, Activation("softmax"))
    return draft.finish()


def _inverted_residual(draft: Draft, name: str, channels: int, filters: int, *, expansion: int, strides: int) -> None:
    """Wide by a 1 x 1 convolution, filtered map by map, narrow again without an activation."""
    before = draft.last
    if expansion > 1:
        _convolve(draft, f"{name}_expand", channels * expansion, 1)
    layer = DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False, depthwise_initializer="he_normal")
    convolve(draft, f"{name}_depthwise", layer, norm=NORM, activation="relu6")
    narrow = Conv2D(filters, 1, padding="same", use_bias=False, kernel_initializer="he_normal")
    last = convolve(draft, f"{name}_project", narrow, norm=NORM, activation=None)
    if strides == 1 and channels == filters:
        draft.add(name, Add(), after=(before, last))


def _convolve(draft: Draft, name: str, filters: int, kernel_size: int, *, strides: int = 1) -> None:
    layer = Conv2D(
        filters, kernel_size, strides=strides, padding="same", use_bias=False, kernel_initializer="he_normal"
    )
    convolve(draft, name, layer, norm=NORM, activation="relu6")


def _rounded(filters: float) -> int:
    """The nearest multiple of 8, at least 8, and not below nine tenths."""
    nearest = max(8, int(filters + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * filters else nearest
