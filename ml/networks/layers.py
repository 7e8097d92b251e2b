"""The layers that a network is drawn from, in Keras's own vocabulary, as frozen data. Never imports Keras.

Each layer tells, from the shapes that reach it, its output's shape, its weights and its multiply-adds. Shapes are
those of one example, without the batch axis: `(height, width, channels)` or `(features,)`. A multiply-add counts once
and padding counts as if it were computed; adding a bias, comparing and squashing count nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from math import prod
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

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
ActivationName = Literal["relu", "tanh", "scaled_tanh", "sigmoid", "elu", "gelu", "silu", "softmax", "linear"]
"""`scaled_tanh` is 1.7159 · tanh(2x/3) (LeCun et al. 1998); the others are Keras's."""

_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


@dataclass(frozen=True, config=_STRICT)
class Weight:
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


# ── into the network ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, config=_STRICT)
class Rescaling(Layer):
    """x · scale + offset: what stands before a network so that it takes raw pixel values of 0 to 255."""

    scale: float
    offset: float = 0.0

    def multiply_adds(self, *shapes: Shape) -> int:
        return prod(shapes[0])


# ── convolutions and dense layers ────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, config=_STRICT)
class Conv2D(Layer):
    """A convolution over height and width; its kernel is `[height, width, channels in, filters]`."""

    filters: Size
    kernel_size: Pair
    strides: Pair = (1, 1)
    padding: Padding = "valid"
    use_bias: bool = True
    kernel_initializer: Initializer = "glorot_uniform"

    def output_shape(self, *shapes: Shape) -> Shape:
        return (*_slide(shapes[0], self.kernel_size, self.strides, self.padding), self.filters)

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        return _kernel_and_bias((*self.kernel_size, shapes[0][-1], self.filters), self.filters, self.use_bias)

    def multiply_adds(self, *shapes: Shape) -> int:
        return prod(self.output_shape(*shapes)) * prod(self.kernel_size) * shapes[0][-1]


@dataclass(frozen=True, config=_STRICT)
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
        slid = _slide(shapes[0], self.kernel_size, self.strides, self.padding)
        if highest >= shapes[0][-1]:
            raise ShapeError(f"it connects input map {highest}, but gets {shapes[0][-1]} maps, counted from 0")
        if any(len(set(seen)) < len(seen) for seen in self.connections):
            raise ShapeError("it connects an output map twice to the same input map")
        return (*slid, len(self.connections))

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        return _kernel_and_bias((*self.kernel_size, self._pairs()), len(self.connections), True)

    def multiply_adds(self, *shapes: Shape) -> int:
        return prod(self.output_shape(*shapes)[:2]) * prod(self.kernel_size) * self._pairs()

    def _pairs(self) -> int:
        return sum(len(seen) for seen in self.connections)


@dataclass(frozen=True, config=_STRICT)
class Dense(Layer):
    """A dense layer on the last axis; its kernel is `[features in, units]`."""

    units: Size
    use_bias: bool = True
    kernel_initializer: Initializer = "glorot_uniform"

    def output_shape(self, *shapes: Shape) -> Shape:
        return (*shapes[0][:-1], self.units)

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        return _kernel_and_bias((shapes[0][-1], self.units), self.units, self.use_bias)

    def multiply_adds(self, *shapes: Shape) -> int:
        return prod(shapes[0]) * self.units


# ── pooling ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, config=_STRICT)
class _Pooling2D(Layer):
    pool_size: Pair = (2, 2)
    strides: Pair | None = None
    """As the pool's size when left out."""
    padding: Padding = "valid"

    def output_shape(self, *shapes: Shape) -> Shape:
        strides = self.strides or self.pool_size
        return (*_slide(shapes[0], self.pool_size, strides, self.padding), shapes[0][-1])


@dataclass(frozen=True, config=_STRICT)
class MaxPooling2D(_Pooling2D):
    """The largest value in each window of each map."""


@dataclass(frozen=True, config=_STRICT)
class AveragePooling2D(_Pooling2D):
    """The mean of each window of each map."""


@dataclass(frozen=True, config=_STRICT)
class TrainableSubsampling2D(Layer):
    """The mean of each window · a coefficient + a bias, one of each a map (layers S2 and S4 of LeCun et al. 1998).

    The windows do not overlap. The paper multiplies the window's sum; the mean only rescales the coefficient.
    """

    pool_size: Pair = (2, 2)

    def output_shape(self, *shapes: Shape) -> Shape:
        return (*_slide(shapes[0], self.pool_size, self.pool_size, "valid"), shapes[0][-1])

    def weights(self, *shapes: Shape) -> tuple[Weight, ...]:
        return (Weight("coefficient", shapes[0][-1:]), Weight("bias", shapes[0][-1:]))

    def multiply_adds(self, *shapes: Shape) -> int:
        return prod(self.output_shape(*shapes))


@dataclass(frozen=True, config=_STRICT)
class GlobalAveragePooling2D(Layer):
    """The mean of each whole map."""

    def output_shape(self, *shapes: Shape) -> Shape:
        return _maps(shapes[0])[2:]


# ── shape, noise, norm, activation ───────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, config=_STRICT)
class Flatten(Layer):
    """All values in one row, in the order height, width, channels."""

    def output_shape(self, *shapes: Shape) -> Shape:
        return (prod(shapes[0]),)


@dataclass(frozen=True, config=_STRICT)
class Dropout(Layer):
    """In training, values become 0 at this rate and the rest is scaled up (Srivastava et al. 2014)."""

    rate: Annotated[float, Field(ge=0.0, lt=1.0)]


@dataclass(frozen=True, config=_STRICT)
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


@dataclass(frozen=True, config=_STRICT)
class Activation(Layer):
    """A function of each value; softmax is one of the last axis."""

    activation: ActivationName


# ── where branches meet ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, config=_STRICT)
class Add(Layer):
    """The sum of two or more inputs of one shape."""

    inputs: ClassVar[tuple[int, int | None]] = (2, None)

    def output_shape(self, *shapes: Shape) -> Shape:
        if len(set(shapes)) > 1:
            raise ShapeError(f"it adds inputs of one shape, but gets {_list(shapes)}")
        return shapes[0]


@dataclass(frozen=True, config=_STRICT)
class Concatenate(Layer):
    """Two or more inputs side by side on the last axis."""

    inputs: ClassVar[tuple[int, int | None]] = (2, None)

    def output_shape(self, *shapes: Shape) -> Shape:
        if len({shape[:-1] for shape in shapes}) > 1:
            raise ShapeError(f"it joins inputs that differ only in channels, but gets {_list(shapes)}")
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))


LAYERS: dict[str, type[Layer]] = {
    cls.__name__: cls
    for cls in (
        Rescaling,
        Conv2D,
        PartialConv2D,
        Dense,
        MaxPooling2D,
        AveragePooling2D,
        TrainableSubsampling2D,
        GlobalAveragePooling2D,
        Flatten,
        Dropout,
        BatchNormalization,
        Activation,
        Add,
        Concatenate,
    )
}
"""Every layer by its type; what is not here cannot stand in a network's JSON."""


# ── arithmetic ───────────────────────────────────────────────────────────────────────────────────────────────


def _maps(shape: Shape) -> Shape:
    if len(shape) != 3:
        raise ShapeError(f"it needs (height, width, channels), but gets {shape}")
    return shape


def _slide(shape: Shape, window: tuple[int, int], strides: tuple[int, int], padding: Padding) -> tuple[int, int]:
    """How many places a window takes along height and width."""
    height, width, _ = _maps(shape)
    if padding == "same":
        return -(-height // strides[0]), -(-width // strides[1])
    if height < window[0] or width < window[1]:
        raise WindowTooLarge(f"its window of {window[0]} x {window[1]} is larger than its input of {height} x {width}")
    return (height - window[0]) // strides[0] + 1, (width - window[1]) // strides[1] + 1


def _kernel_and_bias(kernel: Shape, units: int, use_bias: bool) -> tuple[Weight, ...]:
    return (Weight("kernel", kernel), Weight("bias", (units,)))[: 1 + use_bias]


def _list(shapes: Sequence[Shape]) -> str:
    return ", ".join(map(str, shapes))
