"""Layers that keep or regroup what reaches them: scale, shape, noise, norm, activation."""

from __future__ import annotations

from math import prod
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic.dataclasses import dataclass

from ml.networks.errors import ShapeError
from ml.networks.layers.base import STRICT, Layer, Shape, Size, Weight, check_maps

ActivationName = Literal[
    "relu",
    "relu6",
    "tanh",
    "scaled_tanh",
    "sigmoid",
    "hard_sigmoid",
    "elu",
    "gelu",
    "silu",
    "hard_silu",
    "softmax",
    "linear",
]
"""`scaled_tanh` is 1.7159 · tanh(2x/3) (LeCun et al. 1998); the others are Keras's. `silu` is also called swish, and
`hard_silu` hard-swish."""


def _one_sentence(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    try:
        return validate(tuple(value) if isinstance(value, list) else value)
    except ValidationError as error:
        raise ValueError("Expected a number, or a list of numbers, one a channel") from error


Numbers = Annotated[
    float | Annotated[tuple[float, ...], Field(min_length=1, max_length=1024)], WrapValidator(_one_sentence)
]
"""One number for all channels, or one for each."""


@dataclass(frozen=True, config=STRICT)
class Rescaling(Layer):
    """x · scale + offset: what stands before a network so that it takes raw pixel values of 0 to 255."""

    scale: Numbers
    offset: Numbers = 0.0

    def output_shape(self, *shapes: Shape) -> Shape:
        for name, numbers in (("scales", self.scale), ("offsets", self.offset)):
            if isinstance(numbers, tuple) and len(numbers) != shapes[0][-1]:
                raise ShapeError(f"it has {len(numbers)} {name}, one a channel, but gets {shapes[0][-1]} channels")
        return shapes[0]

    def multiply_adds(self, *shapes: Shape) -> int:
        return prod(shapes[0])


@dataclass(frozen=True, config=STRICT)
class ChannelOrder(Layer):
    """The channels in another order: (2, 1, 0) makes of red, green, blue what networks from Caffe were trained on."""

    order: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1, max_length=1024)]
    """For each channel that goes out, the one that comes in, counted from 0."""

    def output_shape(self, *shapes: Shape) -> Shape:
        channels = shapes[0][-1]
        if sorted(self.order) != list(range(channels)):
            raise ShapeError(f"it must name each of {channels} channels once, counted from 0, but has {self.order}")
        return shapes[0]


@dataclass(frozen=True, config=STRICT)
class Flatten(Layer):
    """All values in one row, in the order height, width, channels."""

    def output_shape(self, *shapes: Shape) -> Shape:
        return (prod(shapes[0]),)


@dataclass(frozen=True, config=STRICT)
class Reshape(Layer):
    """The same values, in the same order, in another shape."""

    target_shape: Annotated[tuple[Size, ...], Field(min_length=1, max_length=8)]

    def output_shape(self, *shapes: Shape) -> Shape:
        if prod(shapes[0]) != prod(self.target_shape):
            raise ShapeError(f"it makes {prod(self.target_shape)} values of {shapes[0]}, which are {prod(shapes[0])}")
        return self.target_shape


@dataclass(frozen=True, config=STRICT)
class Dropout(Layer):
    """In training, values become 0 at this rate and the rest is scaled up (Srivastava et al. 2014)."""

    rate: Annotated[float, Field(ge=0.0, lt=1.0)]


@dataclass(frozen=True, config=STRICT)
class StochasticDepth(Layer):
    """In training, all that comes of an image becomes 0 at this rate, and other images are scaled up.

    Huang, Sun, Liu, Sedra, Weinberger: Deep networks with stochastic depth (2016): before a shortcut is added, it
    leaves whole blocks out.
    """

    rate: Annotated[float, Field(ge=0.0, lt=1.0)]

    def output_shape(self, *shapes: Shape) -> Shape:
        return check_maps(shapes[0])


@dataclass(frozen=True, config=STRICT)
class BatchNormalization(Layer):
    """Values normalised for each channel (Ioffe and Szegedy 2015); the moving mean and variance are not trained."""

    momentum: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.99
    epsilon: Annotated[float, Field(gt=0.0, le=1.0)] = 1e-3

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        size = shapes[0][-1:]
        return (
            Weight("gamma", size),
            Weight("beta", size),
            Weight("moving_mean", size, trainable=False),
            Weight("moving_variance", size, trainable=False),
        )

    def multiply_adds(self, *shapes: Shape) -> int:
        return prod(shapes[0])


@dataclass(frozen=True, config=STRICT)
class LayerNormalization(Layer):
    """The channels of each place normalised by their own mean and variance (Ba, Kiros, Hinton 2016)."""

    epsilon: Annotated[float, Field(gt=0.0, le=1.0)] = 1e-3

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        return (Weight("gamma", shapes[0][-1:]), Weight("beta", shapes[0][-1:]))

    def multiply_adds(self, *shapes: Shape) -> int:
        return prod(shapes[0])


@dataclass(frozen=True, config=STRICT)
class LayerScale(Layer):
    """Each channel multiplied by a trained number (Touvron et al. 2021), which begins small."""

    initial: Annotated[float, Field(gt=0.0, le=1.0)] = 1e-6

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        return (Weight("gamma", shapes[0][-1:]),)

    def multiply_adds(self, *shapes: Shape) -> int:
        return prod(shapes[0])


@dataclass(frozen=True, config=STRICT)
class LocalResponseNormalization(Layer):
    """Each value divided by (k + alpha · the sum of the squares at its place in `size` maps around its own) ** beta.

    Section 3.3 of Krizhevsky, Sutskever, Hinton: ImageNet classification with deep convolutional neural networks
    (2012), whose values are the defaults. The sum is a sum, as in the paper and in TensorFlow; Caffe and PyTorch take
    the mean over `size` maps, so that their alpha is `size` times this one.
    """

    size: Annotated[int, Field(ge=1, le=1001)] = 5
    """Maps in the sum, the value's own among them: odd, with fewer at the first and the last maps."""
    k: Annotated[float, Field(gt=0.0, le=1e6)] = 2.0
    alpha: Annotated[float, Field(ge=0.0, le=1e6)] = 1e-4
    beta: Annotated[float, Field(ge=0.0, le=100.0)] = 0.75

    def output_shape(self, *shapes: Shape) -> Shape:
        if self.size % 2 == 0:
            raise ShapeError(f"its size must be odd, to reach as far on both sides, but is {self.size}")
        return check_maps(shapes[0])

    def multiply_adds(self, *shapes: Shape) -> int:
        return prod(shapes[0]) * (self.size + 1)


@dataclass(frozen=True, config=STRICT)
class Activation(Layer):
    """A function of each value; softmax is one of the last axis."""

    activation: ActivationName
