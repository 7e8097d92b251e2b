"""AlexNet: five convolutions, the first large ones, then three dense layers.

Krizhevsky, Sutskever, Hinton: ImageNet classification with deep convolutional neural networks (2012).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ml.networks.blocks import MOMENTUM, Downsampling, Stem, Width, convolve, downsample, scaled
from ml.networks.graph import LOGITS, PROBABILITIES, Draft, Network
from ml.networks.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    LocalResponseNormalization,
    Rescaling,
    ZeroPadding2D,
)
from records.specs.base import Strict


class AlexNetOptions(Strict):
    """The options of AlexNet."""

    groups: Literal[1, 2] = 2
    """2: each of two halves of the filters sees half of the maps in layers 2, 4 and 5, as on the paper's two GPUs."""
    normalization: Literal["response", "batch", "none"] = "response"
    """What follows layers 1 and 2: local response normalisation as in the paper, batch norm, or nothing."""
    downsampling: Downsampling = "max_pooling"
    """What makes maps smaller after layers 1, 2 and 5: a window of 3 x 3 with strides of 2."""
    stem: Stem = "imagenet"
    """`cifar`: the first convolution is 5 x 5 with strides of 1, for images of 15 to 64 px."""
    width: Width = 1.0
    """What the number of filters is multiplied by."""
    hidden: Annotated[int, Field(ge=1, le=16_384)] = 4096
    """Units of each of the two hidden dense layers."""
    dropout: Annotated[float, Field(ge=0.0, le=0.9)] = 0.5
    """Share of the outputs that is dropped in training before each hidden dense layer."""


def alexnet(input_shape: tuple[int, int, int], classes: int, options: AlexNetOptions) -> Network:
    """AlexNet for raw images of 0 to 255.

    The paper says 224 x 224 px, but its 55 x 55 maps need 227: zeros are put around the image, one pixel above and
    left, two below and right, so that 224 and 227 both give them. With 1000 classes it has the paper's 60,965,224
    parameters; `groups` of 1 is the network on one GPU, 62,378,344.

    It differs from the paper in this: pixels are brought to -1 to 1, where the paper takes the mean image away; biases
    begin at 0 and kernels as He et al. have them, where the paper has normal noise of 0.01 and some biases of 1.
    """
    filters = [scaled(count, options.width) for count in (96, 256, 384, 384, 256)]
    draft = Draft("alexnet", input_shape)
    draft.add("rescaling", Rescaling(1 / 127.5, -1.0))
    if options.stem == "imagenet":
        draft.add("padding", ZeroPadding2D(((1, 2), (1, 2))))
        convolve(draft, "c1", Conv2D(filters[0], 11, strides=4, kernel_initializer="he_normal"))
    else:
        convolve(draft, "c1", Conv2D(filters[0], 5, padding="same", kernel_initializer="he_normal"))
    _normalize(draft, "n1", options)
    _shrink(draft, "p1", filters[0], options)
    convolve(draft, "c2", _same(filters[1], 5, options.groups))
    _normalize(draft, "n2", options)
    _shrink(draft, "p2", filters[1], options)
    convolve(draft, "c3", _same(filters[2], 3, 1))
    convolve(draft, "c4", _same(filters[3], 3, options.groups))
    convolve(draft, "c5", _same(filters[4], 3, options.groups))
    _shrink(draft, "p5", filters[4], options)
    draft.add("flatten", Flatten())
    for name in ("f6", "f7"):
        if options.dropout:
            draft.add(f"{name}_dropout", Dropout(options.dropout))
        draft.add(name, Dense(options.hidden, kernel_initializer="he_normal"))
        draft.add(f"{name}_activation", Activation("relu"))
    draft.add(LOGITS, Dense(classes))
    draft.add(PROBABILITIES, Activation("softmax"))
    return draft.finish()


def _same(filters: int, kernel_size: int, groups: int) -> Conv2D:
    return Conv2D(filters, kernel_size, padding="same", kernel_initializer="he_normal", groups=groups)


def _normalize(draft: Draft, name: str, options: AlexNetOptions) -> None:
    if options.normalization == "response":
        draft.add(name, LocalResponseNormalization())
    elif options.normalization == "batch":
        draft.add(name, BatchNormalization(momentum=MOMENTUM, epsilon=1e-5))


def _shrink(draft: Draft, name: str, channels: int, options: AlexNetOptions) -> None:
    downsample(draft, name, options.downsampling, channels=channels, window=3, strides=2)
