"""LeNet-5: two rounds of convolution and pooling, then three dense layers.

LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition. Proc. IEEE 86 (1998).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ml.networks.blocks import Downsampling, downsample
from ml.networks.graph import LOGITS, PROBABILITIES, Draft, Network
from ml.networks.layers import (
    Activation,
    ActivationName,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Padding,
    PartialConv2D,
    Rescaling,
    TrainableSubsampling2D,
)
from records.specs.base import Strict

C3_CONNECTIONS = (
    (0, 1, 2),
    (1, 2, 3),
    (2, 3, 4),
    (3, 4, 5),
    (0, 4, 5),
    (0, 1, 5),
    (0, 1, 2, 3),
    (1, 2, 3, 4),
    (2, 3, 4, 5),
    (0, 3, 4, 5),
    (0, 1, 4, 5),
    (0, 1, 2, 5),
    (0, 1, 3, 4),
    (1, 2, 4, 5),
    (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)
"""For each of the 16 maps of C3, the maps of S2 that it sees (table I of the paper)."""


class LeNet5Options(Strict):
    """The options of LeNet-5."""

    variant: Literal["modern", "classic"] = "modern"
    """`modern`: ReLU, max pooling, full connections. `classic`: as published in 1998."""
    activation: Literal["auto", "relu", "tanh", "scaled_tanh", "elu", "gelu", "silu"] = "auto"
    """What follows every layer but the last; `auto` is `relu` in modern, `scaled_tanh` in classic."""
    downsampling: Literal["auto"] | Downsampling = "auto"
    """What makes maps smaller, by a window of 2 x 2; `auto` is `max_pooling` in modern, the paper's means with trained
    coefficients in classic."""
    dropout: Annotated[float, Field(ge=0.0, le=0.9)] = 0.0
    """Share of the last hidden layer's outputs that is dropped in training."""


def lenet5(input_shape: tuple[int, int, int], classes: int, options: LeNet5Options) -> Network:
    """LeNet-5 for raw images of 0 to 255.

    `classic` is the paper's network, with its number of parameters in each layer, and differs in this: subsampling
    takes the mean of a window instead of its sum, with coefficients that begin at 1 instead of at random; the output
    is a dense layer with softmax instead of distances to fixed 7 x 12 pictures of the characters (RBF).
    `modern` is what most people call LeNet-5 today: ReLU (or `activation`) after each layer, max pooling, all maps
    connected, C5 as a dense layer, He's initial weights.

    The paper's images are 32 x 32. Smaller ones are padded by the first convolution, so that 28 x 28 gives the same
    maps as in the paper. Expect on MNIST, after 10 epochs without augmentation (Adam, cosine, batches of 128), about
    99.0 % of the test images right; `classic` wants a rate of 4e-3 and gets to 98.8 %. The paper has 99.05 %.
    """
    draw = _classic if options.variant == "classic" else _modern
    return draw(input_shape, classes, options)


def _modern(input_shape: tuple[int, int, int], classes: int, options: LeNet5Options) -> Network:
    activation: ActivationName = "relu" if options.activation == "auto" else options.activation
    draft = Draft("lenet5", input_shape)
    draft.add("rescaling", Rescaling(1 / 255))
    draft.add("c1", Conv2D(6, (5, 5), padding=_first_padding(input_shape), kernel_initializer="he_normal"))
    draft.add("c1_activation", Activation(activation))
    how: Downsampling = "max_pooling" if options.downsampling == "auto" else options.downsampling
    downsample(draft, "s2", how, channels=6, window=2, strides=2)
    draft.add("c3", Conv2D(16, (5, 5), kernel_initializer="he_normal"))
    draft.add("c3_activation", Activation(activation))
    downsample(draft, "s4", how, channels=16, window=2, strides=2)
    draft.add("flatten", Flatten())
    draft.add("c5", Dense(120, kernel_initializer="he_normal"))
    draft.add("c5_activation", Activation(activation))
    draft.add("f6", Dense(84, kernel_initializer="he_normal"))
    draft.add("f6_activation", Activation(activation))
    return _finish(draft, classes, options)


def _classic(input_shape: tuple[int, int, int], classes: int, options: LeNet5Options) -> Network:
    activation: ActivationName = "scaled_tanh" if options.activation == "auto" else options.activation
    draft = Draft("lenet5", input_shape)
    # The paper's range, -0.1 to 1.175, gives digits a mean near 0 and a variance near 1.
    draft.add("rescaling", Rescaling(1.275 / 255, -0.1))
    draft.add("c1", Conv2D(6, (5, 5), padding=_first_padding(input_shape), kernel_initializer="lecun_1998"))
    draft.add("c1_activation", Activation(activation))
    _subsample(draft, "s2", 6, activation, options)
    draft.add("c3", PartialConv2D(C3_CONNECTIONS, (5, 5), kernel_initializer="lecun_1998"))
    draft.add("c3_activation", Activation(activation))
    _subsample(draft, "s4", 16, activation, options)
    draft.add("c5", Conv2D(120, (5, 5), kernel_initializer="lecun_1998"))
    draft.add("c5_activation", Activation(activation))
    draft.add("flatten", Flatten())
    draft.add("f6", Dense(84, kernel_initializer="lecun_1998"))
    draft.add("f6_activation", Activation(activation))
    return _finish(draft, classes, options)


def _subsample(draft: Draft, name: str, maps: int, activation: ActivationName, options: LeNet5Options) -> None:
    if options.downsampling != "auto":
        downsample(draft, name, options.downsampling, channels=maps, window=2, strides=2)
        return
    draft.add(name, TrainableSubsampling2D((2, 2)))
    draft.add(f"{name}_activation", Activation(activation))


def _first_padding(input_shape: tuple[int, int, int]) -> Padding:
    """Images below the paper's 32 px are padded by two pixels on each side."""
    return "same" if min(input_shape[:2]) < 32 else "valid"


def _finish(draft: Draft, classes: int, options: LeNet5Options) -> Network:
    if options.dropout:
        draft.add("dropout", Dropout(options.dropout))
    draft.add(LOGITS, Dense(classes))
    draft.add(PROBABILITIES, Activation("softmax"))
    return draft.finish()
