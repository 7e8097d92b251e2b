"""Layers where branches meet."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from pydantic.dataclasses import dataclass

from ml.networks.errors import ShapeError
from ml.networks.layers.base import STRICT, Layer, Shape, list_shapes


@dataclass(frozen=True, config=STRICT)
class Add(Layer):
    """The sum of two or more inputs of one shape."""

    inputs: ClassVar[tuple[int, int | None]] = (2, None)

    def output_shape(self, *shapes: Shape) -> Shape:
        if len(set(shapes)) > 1:
            raise ShapeError(f"it adds inputs of one shape, but gets {list_shapes(shapes)}")
        return shapes[0]


@dataclass(frozen=True, config=STRICT)
class Multiply(Layer):
    """The product of two or more inputs; an axis of 1 is repeated to meet the others."""

    inputs: ClassVar[tuple[int, int | None]] = (2, None)

    def output_shape(self, *shapes: Shape) -> Shape:
        if len({len(shape) for shape in shapes}) > 1:
            raise ShapeError(f"it multiplies inputs of as many axes, but gets {list_shapes(shapes)}")
        for sizes in zip(*shapes, strict=True):
            if len({size for size in sizes if size > 1}) > 1:
                raise ShapeError(
                    f"it multiplies inputs of one shape, or with axes of 1, but gets {list_shapes(shapes)}"
                )
        return tuple(max(sizes) for sizes in zip(*shapes, strict=True))

    def multiply_adds(self, *shapes: Shape) -> int:
        return prod(self.output_shape(*shapes)) * (len(shapes) - 1)


@dataclass(frozen=True, config=STRICT)
class Concatenate(Layer):
    """Two or more inputs side by side on the last axis."""

    inputs: ClassVar[tuple[int, int | None]] = (2, None)

    def output_shape(self, *shapes: Shape) -> Shape:
        if len({shape[:-1] for shape in shapes}) > 1:
            raise ShapeError(f"it joins inputs that differ only in channels, but gets {list_shapes(shapes)}")
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))
