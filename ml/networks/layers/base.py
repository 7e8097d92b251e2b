"""What every layer tells about itself, and the arithmetic that several of them share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from math import prod
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import BeforeValidator, ConfigDict, Field

from ml.networks.errors import ShapeError, WindowTooLarge

Shape = tuple[int, ...]

Size = Annotated[int, Field(ge=1, le=1_000_000)]


def _pair(value: Any) -> Any:
    if isinstance(value, int):
        return (value, value)
    return tuple(value) if isinstance(value, list) else value


Pair = Annotated[tuple[Size, Size], BeforeValidator(_pair)]
"""Height and width; one number stands for both."""
Padding = Literal["same", "valid"]
Initializer = Literal["glorot_uniform", "he_normal", "he_uniform", "lecun_normal", "lecun_uniform", "lecun_1998"]
"""`lecun_1998` is uniform in ±2.4 / fan-in, with the fan-in of each unit; the others are Keras's."""

STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Weight(NamedTuple):
    """One array that a layer keeps."""

    name: str
    shape: tuple[int, ...]
    trainable: bool = True

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)


class Layer:
    """What every layer tells about itself. The methods take one shape for each input."""

    inputs: ClassVar[tuple[int, int | None]] = (1, 1)
    """Fewest and most inputs; None is no limit."""

    @property
    def type(self) -> str:
        """The name of the layer's class, which is Keras's where Keras has one."""
        return type(self).__name__

    def options(self) -> dict[str, Any]:
        """The arguments that make this layer."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]

    def output_shape(self, *shapes: Shape) -> Shape:
        """The output's shape.

        Raises:
            ShapeError: the layer cannot take these shapes.
        """
        return shapes[0]

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        """The weights, in Keras's order."""
        return ()

    def multiply_adds(self, *shapes: Shape) -> int:
        """Multiply-adds for one example, forward."""
        return 0


def check_maps(shape: Shape) -> Shape:
    """The shape, if it is one of maps.

    Raises:
        ShapeError: it has not three axes.
    """
    if len(shape) != 3:
        raise ShapeError(f"it needs (height, width, channels), but gets {shape}")
    return shape


def slide(shape: Shape, window: tuple[int, int], strides: tuple[int, int], padding: Padding) -> tuple[int, int]:
    """How many places a window takes along height and width.

    Raises:
        WindowTooLarge: it takes none.
    """
    height, width, _ = check_maps(shape)
    if padding == "same":
        return -(-height // strides[0]), -(-width // strides[1])
    if height < window[0] or width < window[1]:
        raise WindowTooLarge(f"its window of {window[0]} x {window[1]} is larger than its input of {height} x {width}")
    return (height - window[0]) // strides[0] + 1, (width - window[1]) // strides[1] + 1


def spread(window: tuple[int, int], dilation_rate: tuple[int, int]) -> tuple[int, int]:
    """Height and width that a window covers with so many places between its own."""
    return (window[0] - 1) * dilation_rate[0] + 1, (window[1] - 1) * dilation_rate[1] + 1


def check_dilation(strides: tuple[int, int], dilation_rate: tuple[int, int]) -> None:
    """Raises ShapeError where a window both moves by more than one place and is spread, which Keras cannot do."""
    if max(strides) > 1 and max(dilation_rate) > 1:
        raise ShapeError(f"it has strides of {strides} and a dilation of {dilation_rate}; one of both must be 1")


def list_shapes(shapes: Sequence[Shape]) -> str:
    """The shapes in a text."""
    return ", ".join(map(str, shapes))
