"""MobileNetV2: inverted residual blocks, wide inside and narrow between.

Sandler, Howard, Zhu, Zhmoginov, Chen: MobileNetV2: inverted residuals and linear bottlenecks (2018), table 2.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ml.networks.blocks import MOMENTUM, Momentum, Stem, rounded
from ml.networks.graph import LOGITS, PROBABILITIES, Draft, Network
from ml.networks.inverted import Block, Inverted
from ml.networks.layers import Activation, BatchNormalization, Dense, Dropout, GlobalAveragePooling2D
from ml.networks.pixels import draw_pixels
from records.specs.base import Strict

STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Expansion, filters, blocks, strides of the first block (t, c, n, s in the paper)."""


class MobileNetV2Options(Strict):
    """The options of MobileNetV2."""

    stem: Stem = "imagenet"
    """`cifar`: neither the first convolution nor the second stage makes maps smaller."""
    alpha: Annotated[float, Field(ge=0.1, le=4.0)] = 1.0
    """The width multiplier of the paper: what the number of filters is multiplied by."""
    dropout: Annotated[float, Field(ge=0.0, le=0.9)] = 0.2
    """Share of the last means that is dropped in training."""
    norm_momentum: Momentum = MOMENTUM
    """Share of the old mean and variance that a batch norm keeps at each step."""


def mobilenet_v2(input_shape: tuple[int, int, int], classes: int, options: MobileNetV2Options) -> Network:
    """MobileNetV2 for raw images of 0 to 255, which are brought to -1 to 1.

    With 1000 classes it has 3,538,984 parameters, of which 3,504,872 are trained: the count of Keras's. As there, and
    in the authors' code, the last convolution keeps its 1280 filters when `alpha` is below 1, and filters are rounded
    to multiples of 8 without losing more than a tenth.
    """
    inverted = Inverted(BatchNormalization(momentum=options.norm_momentum, epsilon=1e-3))
    draft = Draft("mobilenet_v2", input_shape)
    draw_pixels(draft, "tf", channels=input_shape[2])
    small = options.stem == "cifar"
    channels = rounded(32 * options.alpha)
    inverted.convolve(draft, "c1", channels, 3, strides=1 if small else 2)
    for stage, (expansion, filters, blocks, first_strides) in enumerate(STAGES, start=1):
        for number in range(1, blocks + 1):
            strides = first_strides if number == 1 and not (small and stage == 2) else 1
            block = Block(channels, channels * expansion, rounded(filters * options.alpha), strides=strides)
            channels = inverted.block(draft, f"s{stage}_{number}", block)
    inverted.convolve(draft, "c2", rounded(1280 * max(1.0, options.alpha)), 1)
    return finish_with_dropout(draft, classes, dropout=options.dropout)


def finish_with_dropout(draft: Draft, classes: int, *, dropout: float) -> Network:
    """The mean of each map, some of them dropped in training, then one dense layer to the classes."""
    draft.add("pool", GlobalAveragePooling2D())
    if dropout:
        draft.add("dropout", Dropout(dropout))
    draft.add(LOGITS, Dense(classes))
    draft.add(PROBABILITIES, Activation("softmax"))
    return draft.finish()
