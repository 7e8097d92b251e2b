"""Xception: depthwise separable convolutions in residual blocks.

Chollet: Xception: deep learning with depthwise separable convolutions (2017), figure 5.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ml.networks.blocks import MOMENTUM, Momentum, Stem, Width, convolve, scaled
from ml.networks.graph import LOGITS, PROBABILITIES, Draft, Network
from ml.networks.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    GlobalAveragePooling2D,
    MaxPooling2D,
    Padding,
    Rescaling,
    SeparableConv2D,
)
from records.specs.base import Strict


class XceptionOptions(Strict):
    """The options of Xception."""

    stem: Stem = "imagenet"
    """`cifar`: the first two convolutions pad, and the first does not make maps smaller."""
    width: Width = 1.0
    """What the number of filters is multiplied by."""
    middle_blocks: Annotated[int, Field(ge=0, le=64)] = 8
    """Residual blocks of the middle flow."""
    dropout: Annotated[float, Field(ge=0.0, le=0.9)] = 0.5
    """Share of the last means that is dropped in training."""
    norm_momentum: Momentum = MOMENTUM
    """Share of the old mean and variance that a batch norm keeps at each step."""


def xception(input_shape: tuple[int, int, int], classes: int, options: XceptionOptions) -> Network:
    """Xception for raw images of 0 to 255, which are brought to -1 to 1.

    With 1000 classes it has 22,910,480 parameters, of which 22,855,952 are trained: the count of Keras's. The paper's
    images are 299 x 299 px. The paper's dropout of 0.5 before the last layer is there; its optional dense layers, and
    its weight penalty of 1e-5, are not. Kernels begin as He et al. 2015 have them.
    """
    norm = BatchNormalization(momentum=options.norm_momentum, epsilon=1e-3)
    draft = Draft("xception", input_shape)
    draft.add("rescaling", Rescaling(1 / 127.5, -1.0))
    _draw_stem(draft, options, norm)
    for number, filters in enumerate((128, 256, 728), start=2):
        both = (scaled(filters, options.width),) * 2
        # The first block follows an activation, so that its own would do nothing.
        _shrinking_block(draft, f"b{number}", both, norm, first_activation=number > 2)
    middle = scaled(728, options.width)
    for number in range(5, 5 + options.middle_blocks):
        _middle_block(draft, f"b{number}", middle, norm)
    number = 5 + options.middle_blocks
    _shrinking_block(draft, f"b{number}", (middle, scaled(1024, options.width)), norm, first_activation=True)
    for index, filters in enumerate((1536, 2048), start=1):
        _separable(draft, f"b{number + 1}_{index}", scaled(filters, options.width), norm)
        draft.add(f"b{number + 1}_{index}_activation", Activation("relu"))
    draft.add("pool", GlobalAveragePooling2D())
    if options.dropout:
        draft.add("dropout", Dropout(options.dropout))
    draft.add(LOGITS, Dense(classes))
    draft.add(PROBABILITIES, Activation("softmax"))
    return draft.finish()


def _draw_stem(draft: Draft, options: XceptionOptions, norm: BatchNormalization) -> None:
    padding: Padding = "same" if options.stem == "cifar" else "valid"
    strides = 1 if options.stem == "cifar" else 2
    for name, filters, step in (("b1_1", 32, strides), ("b1_2", 64, 1)):
        layer = Conv2D(
            scaled(filters, options.width),
            3,
            strides=step,
            padding=padding,
            use_bias=False,
            kernel_initializer="he_normal",
        )
        convolve(draft, name, layer, norm=norm)


def _shrinking_block(
    draft: Draft, name: str, filters: tuple[int, int], norm: BatchNormalization, *, first_activation: bool
) -> None:
    """Two separable convolutions and a pooling; a 1 x 1 convolution with strides of 2 goes around them."""
    before = draft.last
    around = Conv2D(filters[1], 1, strides=2, padding="same", use_bias=False, kernel_initializer="he_normal")
    shortcut = convolve(draft, f"{name}_shortcut", around, norm=norm, activation=None)
    last = before
    if first_activation:
        last = draft.add(f"{name}_activation_1", Activation("relu"), after=before)
    _separable(draft, f"{name}_1", filters[0], norm, after=last)
    draft.add(f"{name}_activation_2", Activation("relu"))
    _separable(draft, f"{name}_2", filters[1], norm)
    pool = draft.add(f"{name}_pool", MaxPooling2D(3, strides=2, padding="same"))
    draft.add(name, Add(), after=(pool, shortcut))


def _middle_block(draft: Draft, name: str, filters: int, norm: BatchNormalization) -> None:
    """Three separable convolutions, each after an activation, and what came in is added."""
    before = draft.last
    for index in (1, 2, 3):
        draft.add(f"{name}_activation_{index}", Activation("relu"))
        _separable(draft, f"{name}_{index}", filters, norm)
    draft.add(name, Add(), after=(draft.last, before))


def _separable(draft: Draft, name: str, filters: int, norm: BatchNormalization, *, after: str | None = None) -> str:
    layer = SeparableConv2D(
        filters,
        3,
        padding="same",
        use_bias=False,
        depthwise_initializer="he_normal",
        pointwise_initializer="he_normal",
    )
    return convolve(draft, name, layer, norm=norm, activation=None, after=after)
