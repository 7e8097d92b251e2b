"""A plain convolutional network of 3 x 3 convolutions, to compare ways of making maps smaller.

After Simonyan, Zisserman: Very deep convolutional networks for large-scale image recognition (2014).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ml.networks.blocks import MOMENTUM, Downsampling, convolve, downsample
from ml.networks.graph import LOGITS, PROBABILITIES, Draft, Network
from ml.networks.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    GlobalAveragePooling2D,
    Rescaling,
)
from records.specs.base import Strict


class PlainCNNOptions(Strict):
    """The options of the plain convolutional network."""

    filters: Annotated[tuple[Annotated[int, Field(ge=1, le=2048)], ...], Field(min_length=1, max_length=8)] = (
        32,
        64,
        128,
    )
    """Filters of the convolutions of each stage."""
    convolutions: Annotated[int, Field(ge=1, le=8)] = 2
    """Convolutions in each stage."""
    downsampling: Downsampling | Literal["strides"] = "max_pooling"
    """What makes maps smaller at the end of each stage but the last, by a window of 2 x 2: pooling, or one more
    convolution; or `strides` of 2 in the stage's last convolution, which costs no layer."""
    batch_norm: bool = True
    """Whether a batch norm follows each convolution; it has no bias then."""
    activation: Literal["relu", "tanh", "elu", "gelu", "silu"] = "relu"
    """What follows each convolution."""
    dropout: Annotated[float, Field(ge=0.0, le=0.9)] = 0.2
    """Share of the last means that is dropped in training."""


def plain_cnn(input_shape: tuple[int, int, int], classes: int, options: PlainCNNOptions) -> Network:
    """Stages of 3 x 3 convolutions as in VGG, halved between, then the mean of each map and one dense layer.

    Takes raw images of 0 to 255, which are brought to 0 to 1. VGG ends with three dense layers; the mean of each map
    needs none of their parameters and takes images of any size (Lin, Chen, Yan: Network in network, 2013). Strides in
    place of pooling are those of Springenberg et al.: Striving for simplicity (2015).
    """
    draft = Draft("plain_cnn", input_shape)
    draft.add("rescaling", Rescaling(1 / 255))
    last_stage = len(options.filters)
    for stage, filters in enumerate(options.filters, start=1):
        _draw_stage(draft, stage, filters, options, halve=stage < last_stage)
    draft.add("pool", GlobalAveragePooling2D())
    if options.dropout:
        draft.add("dropout", Dropout(options.dropout))
    draft.add(LOGITS, Dense(classes))
    draft.add(PROBABILITIES, Activation("softmax"))
    return draft.finish()


def _draw_stage(draft: Draft, stage: int, filters: int, options: PlainCNNOptions, *, halve: bool) -> None:
    norm = BatchNormalization(momentum=MOMENTUM, epsilon=1e-5) if options.batch_norm else None
    for number in range(1, options.convolutions + 1):
        strides = 2 if halve and options.downsampling == "strides" and number == options.convolutions else 1
        layer = Conv2D(
            filters,
            3,
            strides=strides,
            padding="same",
            use_bias=not options.batch_norm,
            kernel_initializer="he_normal",
        )
        convolve(draft, f"c{stage}_{number}", layer, norm=norm, activation=options.activation)
    if halve and options.downsampling != "strides":
        downsample(draft, f"p{stage}", options.downsampling, channels=filters, window=2, strides=2)
