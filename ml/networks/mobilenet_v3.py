"""MobileNetV3: MobileNetV2's blocks with squeeze-and-excitation and hard activations, found by a search.

Howard, Sandler, Chu, Chen, Chen, Tan, Wang, Zhu, Pang, Vasudevan, Le, Adam: Searching for MobileNetV3 (2019),
tables 1 and 2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, NamedTuple

from pydantic import Field

from ml.networks.blocks import MOMENTUM, Momentum, Stem, rounded
from ml.networks.graph import LOGITS, PROBABILITIES, Draft, Network
from ml.networks.inverted import Block, Inverted, Squeeze
from ml.networks.layers import Activation, BatchNormalization, Dense, Dropout, GlobalAveragePooling2D
from ml.networks.pixels import draw_pixels
from records.specs.base import Strict


class Row(NamedTuple):
    """One block of the paper's tables."""

    wide: int
    """Maps inside, at the paper's width."""
    filters: int
    kernel_size: int
    strides: int
    squeeze: bool
    hard: bool
    """Whether its activation is the hard form of SiLU, else ReLU."""


LARGE = (
    Row(16, 16, 3, 1, squeeze=False, hard=False),
    Row(64, 24, 3, 2, squeeze=False, hard=False),
    Row(72, 24, 3, 1, squeeze=False, hard=False),
    Row(72, 40, 5, 2, squeeze=True, hard=False),
    Row(120, 40, 5, 1, squeeze=True, hard=False),
    Row(120, 40, 5, 1, squeeze=True, hard=False),
    Row(240, 80, 3, 2, squeeze=False, hard=True),
    Row(200, 80, 3, 1, squeeze=False, hard=True),
    Row(184, 80, 3, 1, squeeze=False, hard=True),
    Row(184, 80, 3, 1, squeeze=False, hard=True),
    Row(480, 112, 3, 1, squeeze=True, hard=True),
    Row(672, 112, 3, 1, squeeze=True, hard=True),
    Row(672, 160, 5, 2, squeeze=True, hard=True),
    Row(960, 160, 5, 1, squeeze=True, hard=True),
    Row(960, 160, 5, 1, squeeze=True, hard=True),
)
SMALL = (
    Row(16, 16, 3, 2, squeeze=True, hard=False),
    Row(72, 24, 3, 2, squeeze=False, hard=False),
    Row(88, 24, 3, 1, squeeze=False, hard=False),
    Row(96, 40, 5, 2, squeeze=True, hard=True),
    Row(240, 40, 5, 1, squeeze=True, hard=True),
    Row(240, 40, 5, 1, squeeze=True, hard=True),
    Row(120, 48, 5, 1, squeeze=True, hard=True),
    Row(144, 48, 5, 1, squeeze=True, hard=True),
    Row(288, 96, 5, 2, squeeze=True, hard=True),
    Row(576, 96, 5, 1, squeeze=True, hard=True),
    Row(576, 96, 5, 1, squeeze=True, hard=True),
)
STEM_FILTERS = 16


class MobileNetV3Options(Strict):
    """The options of MobileNetV3."""

    stem: Stem = "imagenet"
    """`cifar`: neither the first convolution nor the first block with strides makes maps smaller."""
    alpha: Annotated[float, Field(ge=0.1, le=4.0)] = 1.0
    """The width multiplier: what the number of filters is multiplied by."""
    dropout: Annotated[float, Field(ge=0.0, le=0.9)] = 0.2
    """Share of the hidden units before the last layer that is dropped in training."""
    norm_momentum: Momentum = MOMENTUM
    """Share of the old mean and variance that a batch norm keeps at each step; Keras's own has 0.999."""


@dataclass(frozen=True)
class MobileNetV3:
    """Small or large: called with (input shape, classes, options), it gives the network.

    With 1000 classes, the small one has 2,554,968 parameters and the large one 5,507,432: the counts of Keras's. It
    takes raw images of 0 to 255, brought to -1 to 1. As in Keras's, the dense layers of each squeeze-and-excitation
    have biases, its gates are hard sigmoids, the first convolution keeps its 16 filters whatever `alpha` is, and the
    hidden layer near the end has as many units when `alpha` is below 1. Kernels begin as He et al. 2015 have them.
    """

    name: str
    rows: tuple[Row, ...]
    hidden: int
    """Units of the dense layer before the last."""

    def __call__(self, input_shape: tuple[int, int, int], classes: int, options: MobileNetV3Options) -> Network:
        hard = Inverted(BatchNormalization(momentum=options.norm_momentum, epsilon=1e-3), "hard_silu")
        draft = Draft(self.name, input_shape)
        draw_pixels(draft, "tf", channels=input_shape[2])
        hard.convolve(draft, "c1", STEM_FILTERS, 3, strides=1 if options.stem == "cifar" else 2)
        channels = self._draw_blocks(draft, hard, options)
        hard.convolve(draft, "c2", rounded(channels * 6), 1)
        draft.add("pool", GlobalAveragePooling2D())
        hidden = rounded(self.hidden * options.alpha) if options.alpha > 1 else self.hidden
        draft.add("hidden", Dense(hidden, kernel_initializer="he_normal"))
        draft.add("hidden_activation", Activation("hard_silu"))
        if options.dropout:
            draft.add("dropout", Dropout(options.dropout))
        draft.add(LOGITS, Dense(classes))
        draft.add(PROBABILITIES, Activation("softmax"))
        return draft.finish()

    def _draw_blocks(self, draft: Draft, hard: Inverted, options: MobileNetV3Options) -> int:
        """All blocks; returns how many maps come out. Widths inside follow from what really goes in, as in Keras's."""
        channels = before = STEM_FILTERS
        smaller = options.stem == "imagenet"
        for number, row in enumerate(self.rows, start=1):
            wide = rounded(channels * (row.wide / before))
            strides = row.strides if smaller else 1
            smaller = smaller or row.strides > 1
            squeeze = Squeeze(rounded(wide * 0.25), "relu", "hard_sigmoid") if row.squeeze else None
            block = Block(
                channels, wide, rounded(row.filters * options.alpha), row.kernel_size, strides=strides, squeeze=squeeze
            )
            inverted = hard if row.hard else replace(hard, activation="relu")
            channels, before = inverted.block(draft, f"b{number}", block), row.filters
        return channels
