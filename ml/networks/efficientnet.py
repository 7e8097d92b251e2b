"""EfficientNet-B0 to -B3: one small network, made wider and deeper together.

Tan, Le: EfficientNet: rethinking model scaling for convolutional neural networks (2019), table 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Annotated, NamedTuple, Protocol, TypeVar

from pydantic import Field

from ml.networks.blocks import MOMENTUM, Momentum, Stem, Width, rounded
from ml.networks.graph import Draft, Network
from ml.networks.inverted import Block, Inverted, Squeeze
from ml.networks.layers import BatchNormalization
from ml.networks.mobilenet_v2 import finish_with_dropout
from ml.networks.pixels import draw_pixels
from records.specs.base import Strict


class Stage(NamedTuple):
    """Blocks one after the other, of which the first may make maps smaller."""

    expansion: int
    """How many times as many maps there are inside a block as go in."""
    filters: int
    blocks: int
    strides: int
    kernel_size: int


STAGES = (
    Stage(1, 16, 1, 1, 3),
    Stage(6, 24, 2, 2, 3),
    Stage(6, 40, 2, 2, 5),
    Stage(6, 80, 3, 2, 3),
    Stage(6, 112, 3, 1, 5),
    Stage(6, 192, 4, 2, 5),
    Stage(6, 320, 1, 1, 3),
)
STEM_FILTERS, HEAD_FILTERS = 32, 1280


class HasStrides(Protocol):
    """A stage of whichever family."""

    @property
    def strides(self) -> int:
        """Of its first block."""


S = TypeVar("S", bound=HasStrides)


class EfficientNetOptions(Strict):
    """The options of EfficientNet-B0 and -B1."""

    stem: Stem = "imagenet"
    """`cifar`: neither the first convolution nor the second stage makes maps smaller."""
    width: Width = 1.0
    """What the number of filters is multiplied by, besides the network's own factor."""
    dropout: Annotated[float, Field(ge=0.0, le=0.9)] = 0.2
    """Share of the last means that is dropped in training."""
    stochastic_depth: Annotated[float, Field(ge=0.0, le=0.9)] = 0.2
    """Share of images for which training leaves a block out: nearly this at the last, evenly less towards the first."""
    norm_momentum: Momentum = MOMENTUM
    """Share of the old mean and variance that a batch norm keeps at each step."""


class LargerEfficientNetOptions(EfficientNetOptions):
    """The options of EfficientNet-B2 and -B3."""

    dropout: Annotated[float, Field(ge=0.0, le=0.9)] = 0.3
    """Share of the last means that is dropped in training."""


@dataclass(frozen=True)
class EfficientNet:
    """One of the family: called with (input shape, classes, options), it gives the network.

    With 1000 classes, B0 to B3 have 5,330,564, 7,856,232, 9,177,562 and 12,320,528 parameters, and train 5,288,548,
    7,794,184, 9,109,994 and 12,233,232. Keras counts 7 more: the mean and deviation of pixels, and a counter, which
    are constants here. Its weights were trained on pixels less ImageNet's mean, divided by its deviation, and so are
    those that come in here, raw of 0 to 255. Kernels begin as He et al. 2015 have them.
    """

    name: str
    width: float
    depth: float

    def __call__(self, input_shape: tuple[int, int, int], classes: int, options: EfficientNetOptions) -> Network:
        inverted = Inverted(BatchNormalization(momentum=options.norm_momentum, epsilon=1e-3), "silu")
        width = self.width * options.width
        draft = Draft(self.name, input_shape)
        draw_pixels(draft, "torch", channels=input_shape[2])
        channels = rounded(STEM_FILTERS * width)
        inverted.convolve(draft, "c1", channels, 3, strides=1 if options.stem == "cifar" else 2)
        repeats = [ceil(self.depth * stage.blocks) for stage in STAGES]
        for name, stage, strides, drop in lay_out(STAGES, repeats, options):
            wide, filters = channels * stage.expansion, rounded(stage.filters * width)
            squeeze = Squeeze(max(1, channels // 4), "silu")
            block = Block(channels, wide, filters, stage.kernel_size, strides, squeeze, drop)
            channels = inverted.block(draft, name, block)
        inverted.convolve(draft, "c2", rounded(HEAD_FILTERS * width), 1)
        return finish_with_dropout(draft, classes, dropout=options.dropout)


def lay_out(
    stages: Sequence[S], repeats: Sequence[int], options: EfficientNetOptions
) -> Iterator[tuple[str, S, int, float]]:
    """Each block in turn: its name, its stage, its strides, and the share of images that training leaves it out for."""
    done, blocks = 0, sum(repeats)
    for number, (stage, count) in enumerate(zip(stages, repeats, strict=True), start=1):
        whole = options.stem == "cifar" and number == 2
        for index in range(1, count + 1):
            strides = stage.strides if index == 1 and not whole else 1
            yield f"s{number}_{index}", stage, strides, options.stochastic_depth * done / blocks
            done += 1
