"""Layers that make maps larger."""

from __future__ import annotations

from math import prod
from typing import Literal

from pydantic.dataclasses import dataclass

from ml.networks.errors import ShapeError
from ml.networks.layers.base import STRICT, Initializer, Layer, Padding, Pair, Shape, Size, Weight, check_maps


@dataclass(frozen=True, config=STRICT)
class Conv2DTranspose(Layer):
    """A convolution turned round: each place writes a window of the larger output, and windows add up.

    Its kernel is `[height, width, filters, channels in]`. `same` gives an output `strides` times as high and wide.
    """

    filters: Size
    kernel_size: Pair
    strides: Pair = (1, 1)
    padding: Padding = "valid"
    use_bias: bool = True
    kernel_initializer: Initializer | Literal["bilinear"] = "glorot_uniform"
    """`bilinear` begins as an interpolation of each map by itself (Long, Shelhamer, Darrell 2015)."""

    def output_shape(self, *shapes: Shape) -> Shape:
        height, width, channels = check_maps(shapes[0])
        if self.kernel_initializer == "bilinear" and channels != self.filters:
            raise ShapeError(f"it begins bilinear, map by map, and has {self.filters} filters for {channels} maps")
        sides = [
            side * step + (max(window - step, 0) if self.padding == "valid" else 0)
            for side, step, window in zip((height, width), self.strides, self.kernel_size, strict=True)
        ]
        return (*sides, self.filters)

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        kernel = Weight("kernel", (*self.kernel_size, self.filters, shapes[0][-1]))
        return (kernel, Weight("bias", (self.filters,)))[: 1 + self.use_bias]

    def multiply_adds(self, *shapes: Shape) -> int:
        return prod(shapes[0]) * prod(self.kernel_size) * self.filters


@dataclass(frozen=True, config=STRICT)
class UpSampling2D(Layer):
    """Larger maps, each by itself: every value repeated, or interpolated between the four nearest."""

    size: Pair = (2, 2)
    interpolation: Literal["nearest", "bilinear"] = "nearest"

    def output_shape(self, *shapes: Shape) -> Shape:
        height, width, channels = check_maps(shapes[0])
        return (height * self.size[0], width * self.size[1], channels)

    def multiply_adds(self, *shapes: Shape) -> int:
        return 4 * prod(self.output_shape(*shapes)) if self.interpolation == "bilinear" else 0
