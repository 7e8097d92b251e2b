"""What networks are drawn from above single layers: functions that add a few layers to a draft.

Each returns the name of the last layer it added. A convolution's own layers are called after it: `c1`, `c1_norm`,
`c1_activation`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ml.networks.graph import Draft
from ml.networks.layers import (
    Activation,
    ActivationName,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    MaxPooling2D,
    Multiply,
    Padding,
    Reshape,
    SeparableConv2D,
)

Downsampling = Literal["max_pooling", "average_pooling", "convolution"]
"""What makes maps smaller; a convolution has the pooling's window and strides, and keeps the number of maps."""

Stem = Literal["imagenet", "cifar"]
"""How a network begins: made for images of some 224 px, or for those of 28 to 64 px, which it does not shrink."""

Momentum = Annotated[float, Field(ge=0.0, lt=1.0)]
"""Share of the old mean and variance that a batch norm keeps at each step."""

Width = Annotated[float, Field(ge=0.1, le=4.0)]
"""What the number of filters of every convolution is multiplied by."""

MOMENTUM = 0.9
"""Share of the old mean and variance that a batch norm keeps at each step. Keras has 0.99, which takes hundreds of
steps to forget the first values; short trainings would be tested with wrong ones."""


def scaled(filters: int, width: float) -> int:
    """So many times the filters, to the nearest multiple of 8, but at least 8; unchanged at a width of 1."""
    return filters if width == 1 else max(8, int(filters * width / 8 + 0.5) * 8)


def nearest_8(filters: float) -> int:
    """The nearest multiple of 8, at least 8."""
    return max(8, int(filters + 4) // 8 * 8)


def rounded(filters: float) -> int:
    """The nearest multiple of 8, at least 8, and not below nine tenths."""
    nearest = nearest_8(filters)
    return nearest + 8 if nearest < 0.9 * filters else nearest


def convolve(
    draft: Draft,
    name: str,
    layer: Conv2D | DepthwiseConv2D | SeparableConv2D,
    *,
    norm: BatchNormalization | None = None,
    activation: ActivationName | None = "relu",
    after: str | None = None,
) -> str:
    """A convolution, a batch norm if one is given, and an activation if there is to be one."""
    last = draft.add(name, layer, after=after)
    if norm is not None:
        last = draft.add(f"{name}_norm", norm)
    if activation is not None:
        last = draft.add(f"{name}_activation", Activation(activation))
    return last


def downsample(
    draft: Draft,
    name: str,
    how: Downsampling,
    *,
    channels: int,
    window: int,
    strides: int,
    padding: Padding = "valid",
) -> str:
    """Smaller maps, as many as before.

    A convolution in place of pooling follows Springenberg, Dosovitskiy, Brox, Riedmiller: Striving for simplicity: the
    all convolutional net (2015): the same window and strides, a ReLU after it.
    """
    if how == "convolution":
        layer = Conv2D(channels, window, strides=strides, padding=padding, kernel_initializer="he_normal")
        return convolve(draft, name, layer)
    pooling = MaxPooling2D if how == "max_pooling" else AveragePooling2D
    return draft.add(name, pooling(window, strides=strides, padding=padding))


def squeeze_and_excite(
    draft: Draft,
    name: str,
    *,
    channels: int,
    units: int,
    activation: ActivationName = "relu",
    gates: ActivationName = "sigmoid",
    after: str | None = None,
) -> str:
    """Each map multiplied by a number between 0 and 1 that follows from the means of all maps.

    Hu, Shen, Albanie, Sun, Wu: Squeeze-and-excitation networks (2018). Both dense layers have biases, as in the
    authors' code and in the parameter counts that are published; `units` are those between them.
    """
    maps = after or draft.last
    draft.add(f"{name}_squeeze", GlobalAveragePooling2D(), after=maps)
    draft.add(f"{name}_reduce", Dense(units, kernel_initializer="he_normal"))
    draft.add(f"{name}_reduce_activation", Activation(activation))
    draft.add(f"{name}_expand", Dense(channels))
    draft.add(f"{name}_gates", Activation(gates))
    by_map = draft.add(f"{name}_gates_of_maps", Reshape((1, 1, channels)))
    return draft.add(f"{name}_excite", Multiply(), after=(maps, by_map))
