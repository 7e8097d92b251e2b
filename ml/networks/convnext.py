"""ConvNeXt-Tiny: a convolutional network with the manners of a transformer.

Liu, Mao, Wu, Feichtenhofer, Darrell, Xie: A ConvNet for the 2020s (2022), figure 4.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ml.networks.blocks import Width, scaled
from ml.networks.graph import LOGITS, PROBABILITIES, Draft, Network
from ml.networks.layers import (
    Activation,
    Add,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    LayerNormalization,
    LayerScale,
    StochasticDepth,
)
from ml.networks.pixels import draw_pixels
from records.specs.base import Strict

STAGES = ((96, 3), (192, 3), (384, 9), (768, 3))
"""Filters and blocks of each stage."""
EXPANSION = 4
"""How many times as many maps there are inside a block."""
NORM = LayerNormalization(epsilon=1e-6)


class ConvNeXtOptions(Strict):
    """The options of ConvNeXt."""

    patch: Annotated[int, Field(ge=1, le=16)] = 4
    """Side of the squares of pixels that the first convolution makes one place of; smaller ones suit small images."""
    width: Width = 1.0
    """What the number of filters is multiplied by."""
    stochastic_depth: Annotated[float, Field(ge=0.0, le=0.9)] = 0.0
    """Share of images for which training leaves the last block out, evenly less towards the first: 0.1 in the paper."""
    layer_scale: Annotated[float, Field(gt=0.0, le=1.0)] = 1e-6
    """What each block is multiplied by at the beginning, before the shortcut is added."""


def convnext_tiny(input_shape: tuple[int, int, int], classes: int, options: ConvNeXtOptions) -> Network:
    """ConvNeXt-Tiny for raw images of 0 to 255, less ImageNet's mean and divided by its deviation.

    With 1000 classes it has 28,589,128 parameters, all of them trained. Kernels begin as Keras has them, not with the
    paper's normal noise of 0.02. Its blocks begin close to doing nothing, and it wants many epochs and strong
    augmentation when it is trained from its first weights.
    """
    draft = Draft("convnext_tiny", input_shape)
    draw_pixels(draft, "torch", channels=input_shape[2])
    done, blocks = 0, sum(count for _, count in STAGES)
    for stage, (filters, count) in enumerate(STAGES, start=1):
        channels = scaled(filters, options.width)
        _draw_smaller(draft, f"d{stage}", channels, options, first=stage == 1)
        for number in range(1, count + 1):
            _block(draft, f"s{stage}_{number}", channels, options, drop=options.stochastic_depth * done / (blocks - 1))
            done += 1
    draft.add("pool", GlobalAveragePooling2D())
    draft.add("head_norm", NORM)
    draft.add(LOGITS, Dense(classes))
    draft.add(PROBABILITIES, Activation("softmax"))
    return draft.finish()


def _draw_smaller(draft: Draft, name: str, channels: int, options: ConvNeXtOptions, *, first: bool) -> None:
    """Squares of places become one: of the image, then normalised; later the other way round, by 2 x 2."""
    if first:
        draft.add(name, Conv2D(channels, options.patch, strides=options.patch))
        draft.add(f"{name}_norm", NORM)
        return
    draft.add(f"{name}_norm", NORM)
    draft.add(name, Conv2D(channels, 2, strides=2))


def _block(draft: Draft, name: str, channels: int, options: ConvNeXtOptions, *, drop: float) -> None:
    before = draft.last
    draft.add(f"{name}_depthwise", DepthwiseConv2D(7, padding="same"))
    draft.add(f"{name}_norm", NORM)
    draft.add(f"{name}_expand", Dense(channels * EXPANSION))
    draft.add(f"{name}_activation", Activation("gelu"))
    draft.add(f"{name}_project", Dense(channels))
    draft.add(f"{name}_scale", LayerScale(options.layer_scale))
    if drop:
        draft.add(f"{name}_drop", StochasticDepth(drop))
    draft.add(name, Add(), after=(before, draft.last))
