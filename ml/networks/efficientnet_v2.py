"""EfficientNetV2: EfficientNet whose first stages have whole convolutions, which computes faster than it looks.

Tan, Le: EfficientNetV2: smaller models and faster training (2021), table 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

from ml.networks.blocks import nearest_8
from ml.networks.efficientnet import HEAD_FILTERS, EfficientNetOptions, lay_out
from ml.networks.graph import Draft, Network
from ml.networks.inverted import Block, Inverted, Squeeze
from ml.networks.layers import BatchNormalization, Rescaling
from ml.networks.mobilenet_v2 import finish_with_dropout
from ml.networks.pixels import draw_pixels


class Stage(NamedTuple):
    """Blocks one after the other, of which the first may make maps smaller."""

    expansion: int
    """How many times as many maps there are inside a block as go in."""
    filters: int
    blocks: int
    strides: int
    fused: bool
    """Whole convolutions and no squeeze-and-excitation; else map by map, with one of a quarter of the maps."""


BASE = (
    Stage(1, 16, 1, 1, fused=True),
    Stage(4, 32, 2, 2, fused=True),
    Stage(4, 48, 2, 2, fused=True),
    Stage(4, 96, 3, 2, fused=False),
    Stage(6, 112, 5, 1, fused=False),
    Stage(6, 192, 8, 2, fused=False),
)
SMALL = (
    Stage(1, 24, 2, 1, fused=True),
    Stage(4, 48, 4, 2, fused=True),
    Stage(4, 64, 4, 2, fused=True),
    Stage(4, 128, 6, 2, fused=False),
    Stage(6, 160, 9, 1, fused=False),
    Stage(6, 256, 15, 2, fused=False),
)


@dataclass(frozen=True)
class EfficientNetV2:
    """One of the family: called with (input shape, classes, options), it gives the network.

    With 1000 classes, B0, B1, B2, B3 and S have 7,200,312, 8,212,124, 10,178,374, 14,467,622 and 21,612,360
    parameters: the counts of Keras's. Raw images of 0 to 255 lose ImageNet's mean and are divided by its deviation; for
    S they are brought to -1 to 255/128 - 1. Kernels begin as He et al. 2015 have them. Keras reckons stochastic depth
    over the blocks of the network before it is made deeper, so that the last of B1 to B3 are left out a little more.
    """

    name: str
    stages: tuple[Stage, ...]
    stem_filters: int
    width: float = 1.0
    depth: float = 1.0

    def __call__(self, input_shape: tuple[int, int, int], classes: int, options: EfficientNetOptions) -> Network:
        inverted = Inverted(BatchNormalization(momentum=options.norm_momentum, epsilon=1e-3), "silu")
        width = self.width * options.width
        draft = Draft(self.name, input_shape)
        self._draw_pixels(draft, input_shape[2])
        channels = nearest_8(self.stem_filters * width)
        inverted.convolve(draft, "c1", channels, 3, strides=1 if options.stem == "cifar" else 2)
        repeats = [ceil(self.depth * stage.blocks) for stage in self.stages]
        for name, stage, strides, drop in lay_out(self.stages, repeats, options):
            draw = inverted.fused if stage.fused else inverted.block
            squeeze = None if stage.fused else Squeeze(max(1, channels // 4), "silu")
            wide, filters = channels * stage.expansion, nearest_8(stage.filters * width)
            block = Block(channels, wide, filters, strides=strides, squeeze=squeeze, drop=drop)
            channels = draw(draft, name, block)
        inverted.convolve(draft, "c2", nearest_8(HEAD_FILTERS * width), 1)
        return finish_with_dropout(draft, classes, dropout=options.dropout)

    def _draw_pixels(self, draft: Draft, channels: int) -> None:
        if self.stages is SMALL:
            draft.add("rescaling", Rescaling(1 / 128, -1.0))
        else:
            draw_pixels(draft, "torch", channels=channels)
