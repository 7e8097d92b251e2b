"""Convolutions of all kinds, and dense layers."""

from __future__ import annotations

from math import prod
from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from ml.networks.errors import ShapeError
from ml.networks.layers.base import (
    STRICT,
    Initializer,
    Layer,
    Padding,
    Pair,
    Shape,
    Size,
    Weight,
    check_dilation,
    check_maps,
    slide,
    spread,
)


@dataclass(frozen=True, config=STRICT)
class Conv2D(Layer):
    """A convolution over height and width; its kernel is `[height, width, channels in / groups, filters]`."""

    filters: Size
    kernel_size: Pair
    strides: Pair = (1, 1)
    padding: Padding = "valid"
    use_bias: bool = True
    kernel_initializer: Initializer = "glorot_uniform"
    groups: Size = 1
    """The channels are cut into that many parts, and each part of the filters sees one of them."""
    dilation_rate: Pair = (1, 1)
    """How far apart the places are that the window sees (atrous convolution)."""

    def output_shape(self, *shapes: Shape) -> Shape:
        check_dilation(self.strides, self.dilation_rate)
        slid = slide(shapes[0], spread(self.kernel_size, self.dilation_rate), self.strides, self.padding)
        for what, count in (("channels", shapes[0][-1]), ("filters", self.filters)):
            if count % self.groups:
                raise ShapeError(f"its {self.groups} groups cannot share {count} {what} evenly")
        return (*slid, self.filters)

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        kernel = (*self.kernel_size, shapes[0][-1] // self.groups, self.filters)
        return _with_bias(Weight("kernel", kernel), units=self.filters, use_bias=self.use_bias)

    def multiply_adds(self, *shapes: Shape) -> int:
        return prod(self.output_shape(*shapes)) * prod(self.kernel_size) * (shapes[0][-1] // self.groups)


@dataclass(frozen=True, config=STRICT)
class PartialConv2D(Layer):
    """A convolution in which each output map sees only some input maps (LeCun et al. 1998, table I).

    Its kernel is `[height, width, connections]`, one slice for each pair of maps that are connected, ordered by output
    map. Multiply-adds are those of the connections alone; an engine that fills the gaps with zeros computes more.
    """

    connections: Annotated[
        tuple[Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)], ...],
        Field(min_length=1, max_length=65_536),
    ]
    """For each output map, the input maps that it sees."""
    kernel_size: Pair
    strides: Pair = (1, 1)
    padding: Padding = "valid"
    kernel_initializer: Initializer = "glorot_uniform"

    def output_shape(self, *shapes: Shape) -> Shape:
        highest = max(max(seen) for seen in self.connections)
        slid = slide(shapes[0], self.kernel_size, self.strides, self.padding)
        if highest >= shapes[0][-1]:
            raise ShapeError(f"it connects input map {highest}, but gets {shapes[0][-1]} maps, counted from 0")
        if any(len(set(seen)) < len(seen) for seen in self.connections):
            raise ShapeError("it connects an output map twice to the same input map")
        return (*slid, len(self.connections))

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        kernel = Weight("kernel", (*self.kernel_size, self._pairs()))
        return _with_bias(kernel, units=len(self.connections), use_bias=True)

    def multiply_adds(self, *shapes: Shape) -> int:
        return prod(self.output_shape(*shapes)[:2]) * prod(self.kernel_size) * self._pairs()

    def _pairs(self) -> int:
        return sum(len(seen) for seen in self.connections)


@dataclass(frozen=True, config=STRICT)
class DepthwiseConv2D(Layer):
    """A convolution of each map by itself; its kernel is `[height, width, channels in, depth_multiplier]`."""

    kernel_size: Pair
    strides: Pair = (1, 1)
    padding: Padding = "valid"
    depth_multiplier: Size = 1
    """Output maps for each input map."""
    use_bias: bool = True
    depthwise_initializer: Initializer = "glorot_uniform"
    dilation_rate: Pair = (1, 1)
    """How far apart the places are that the window sees (atrous convolution)."""

    def output_shape(self, *shapes: Shape) -> Shape:
        _check_equal_strides(self.strides)
        check_dilation(self.strides, self.dilation_rate)
        slid = slide(shapes[0], spread(self.kernel_size, self.dilation_rate), self.strides, self.padding)
        return (*slid, shapes[0][-1] * self.depth_multiplier)

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        channels = shapes[0][-1]
        kernel = Weight("kernel", (*self.kernel_size, channels, self.depth_multiplier))
        return _with_bias(kernel, units=channels * self.depth_multiplier, use_bias=self.use_bias)

    def multiply_adds(self, *shapes: Shape) -> int:
        return prod(self.output_shape(*shapes)) * prod(self.kernel_size)


@dataclass(frozen=True, config=STRICT)
class SeparableConv2D(Layer):
    """A convolution of each map by itself, then a 1 x 1 convolution of all of them, with nothing in between."""

    filters: Size
    kernel_size: Pair
    strides: Pair = (1, 1)
    padding: Padding = "valid"
    depth_multiplier: Size = 1
    use_bias: bool = True
    depthwise_initializer: Initializer = "glorot_uniform"
    pointwise_initializer: Initializer = "glorot_uniform"

    def output_shape(self, *shapes: Shape) -> Shape:
        _check_equal_strides(self.strides)
        return (*slide(shapes[0], self.kernel_size, self.strides, self.padding), self.filters)

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        channels = shapes[0][-1]
        depthwise = Weight("depthwise_kernel", (*self.kernel_size, channels, self.depth_multiplier))
        pointwise = Weight("pointwise_kernel", (1, 1, channels * self.depth_multiplier, self.filters))
        return (depthwise, *_with_bias(pointwise, units=self.filters, use_bias=self.use_bias))

    def multiply_adds(self, *shapes: Shape) -> int:
        channels = shapes[0][-1] * self.depth_multiplier
        places = prod(self.output_shape(*shapes)[:2])
        return places * channels * (prod(self.kernel_size) + self.filters)


@dataclass(frozen=True, config=STRICT)
class Dense(Layer):
    """A dense layer on the last axis; its kernel is `[features in, units]`."""

    units: Size
    use_bias: bool = True
    kernel_initializer: Initializer = "glorot_uniform"

    def output_shape(self, *shapes: Shape) -> Shape:
        return (*shapes[0][:-1], self.units)

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        return _with_bias(Weight("kernel", (shapes[0][-1], self.units)), units=self.units, use_bias=self.use_bias)

    def multiply_adds(self, *shapes: Shape) -> int:
        return prod(shapes[0]) * self.units


@dataclass(frozen=True, config=STRICT)
class ChannelPadding(Layer):
    """Maps of zeros behind the others, until there are `channels` (the shortcut A of He et al. 2015)."""

    channels: Size

    def output_shape(self, *shapes: Shape) -> Shape:
        height, width, channels = check_maps(shapes[0])
        if channels > self.channels:
            raise ShapeError(f"it fills up to {self.channels} maps, but gets {channels}")
        return (height, width, self.channels)


def _with_bias(kernel: Weight, *, units: int, use_bias: bool) -> tuple[Weight, ...]:
    return (kernel, Weight("bias", (units,)))[: 1 + use_bias]


def _check_equal_strides(strides: tuple[int, int]) -> None:
    if strides[0] != strides[1]:
        raise ShapeError(f"it takes the same stride down and to the right, but has {strides[0]} and {strides[1]}")
