"""Layers that keep or regroup what reaches them: scale, shape, noise, norm, activation."""

from __future__ import annotations

from math import prod
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from ml.networks.errors import ShapeError
from ml.networks.layers.base import STRICT, Layer, Shape, Size, Weight, check_maps

ActivationName = Literal["relu", "relu6", "tanh", "scaled_tanh", "sigmoid", "elu", "gelu", "silu", "softmax", "linear"]
"""`scaled_tanh` is 1.7159 · tanh(2x/3) (LeCun et al. 1998); the others are Keras's."""


@dataclass(frozen=True, config=STRICT)
class Rescaling(Layer):
    """x · scale + offset: what stands before a network so that it takes raw pixel values of 0 to 255."""

    scale: float
    offset: float = 0.0

    def multiply_adds(self, *shapes: Shape) -> int:
        return prod(shapes[0])


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
