"""Layers that make maps smaller, or larger by padding, without a convolution."""

from __future__ import annotations

from math import prod
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic.dataclasses import dataclass

from ml.networks.layers.base import STRICT, Layer, Padding, Pair, Shape, Weight, check_maps, slide


@dataclass(frozen=True, config=STRICT)
class _Pooling2D(Layer):
    pool_size: Pair = (2, 2)
    strides: Pair | None = None
    """As the pool's size when left out."""
    padding: Padding = "valid"

    def output_shape(self, *shapes: Shape) -> Shape:
        strides = self.strides or self.pool_size
        return (*slide(shapes[0], self.pool_size, strides, self.padding), shapes[0][-1])


@dataclass(frozen=True, config=STRICT)
class MaxPooling2D(_Pooling2D):
    """The largest value in each window of each map."""


@dataclass(frozen=True, config=STRICT)
class AveragePooling2D(_Pooling2D):
    """The mean of each window of each map."""


@dataclass(frozen=True, config=STRICT)
class TrainableSubsampling2D(Layer):
    """The mean of each window · a coefficient + a bias, one of each a map (layers S2 and S4 of LeCun et al. 1998).

    The windows do not overlap. The paper multiplies the window's sum; the mean only rescales the coefficient.
    """

    pool_size: Pair = (2, 2)

    def output_shape(self, *shapes: Shape) -> Shape:
        return (*slide(shapes[0], self.pool_size, self.pool_size, "valid"), shapes[0][-1])

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        return (Weight("coefficient", shapes[0][-1:]), Weight("bias", shapes[0][-1:]))

    def multiply_adds(self, *shapes: Shape) -> int:
        return prod(self.output_shape(*shapes))


@dataclass(frozen=True, config=STRICT)
class _GlobalPooling2D(Layer):
    keepdims: bool = False
    """Whether a height and a width of 1 stay."""

    def output_shape(self, *shapes: Shape) -> Shape:
        channels = check_maps(shapes[0])[2]
        return (1, 1, channels) if self.keepdims else (channels,)


@dataclass(frozen=True, config=STRICT)
class GlobalAveragePooling2D(_GlobalPooling2D):
    """The mean of each whole map."""


@dataclass(frozen=True, config=STRICT)
class GlobalMaxPooling2D(_GlobalPooling2D):
    """The largest value of each whole map."""


Edge = Annotated[int, Field(ge=0, le=10_000)]


def _sides(value: Any) -> Any:
    """As Keras takes it: one number for all sides, or height and width, or (above, below), (left, right)."""
    if isinstance(value, int):
        return ((value, value), (value, value))
    if isinstance(value, (tuple, list)):
        return tuple((side, side) if isinstance(side, int) else tuple(side) for side in value)
    return value


@dataclass(frozen=True, config=STRICT)
class ZeroPadding2D(Layer):
    """Zeros around each map."""

    padding: Annotated[tuple[tuple[Edge, Edge], tuple[Edge, Edge]], BeforeValidator(_sides)] = ((1, 1), (1, 1))
    """(above, below), (left, right)."""

    def output_shape(self, *shapes: Shape) -> Shape:
        height, width, channels = check_maps(shapes[0])
        return (height + sum(self.padding[0]), width + sum(self.padding[1]), channels)
