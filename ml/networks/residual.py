"""Residual blocks: a few convolutions, and a shortcut around them that is added.

He, Zhang, Ren, Sun: Deep residual learning for image recognition (2015), figure 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ml.networks.blocks import MOMENTUM, convolve, squeeze_and_excite
from ml.networks.graph import Draft
from ml.networks.layers import (
    Activation,
    Add,
    AveragePooling2D,
    BatchNormalization,
    ChannelPadding,
    Conv2D,
    Padding,
)

EXPANSION = 4
"""How many times as many maps leave a bottleneck block as its 3 x 3 convolution has."""

NORM = BatchNormalization(momentum=MOMENTUM, epsilon=1e-5)

Shortcut = Literal["projection", "identity"]
"""How a shortcut meets maps that are smaller and more: a 1 x 1 convolution (option B of the paper), or every second
pixel and maps of zeros behind (option A)."""


@dataclass(frozen=True)
class Residual:
    """What all the blocks of a network have in common."""

    conv_bias: bool = False
    """Whether convolutions have biases, though a batch norm follows each."""
    shortcut: Shortcut = "projection"
    stride_in: Literal["1x1", "3x3"] = "1x1"
    """The convolution of a bottleneck block that makes the maps smaller."""
    squeeze_ratio: int | None = None
    """Of the squeeze-and-excitation at the end of each block, before the shortcut is added."""
    norm: BatchNormalization = NORM
    """What follows each convolution."""

    def basic(self, draft: Draft, name: str, *, channels: int, filters: int, strides: int) -> int:
        """Two 3 x 3 convolutions after the last layer, which gives `channels` maps; returns how many come out."""
        before = draft.last
        self.convolve(draft, f"{name}_1", filters, 3, strides=strides)
        inner = self.convolve(draft, f"{name}_2", filters, 3, activation=False)
        return self._meet(draft, name, before, inner, channels=channels, filters=filters, strides=strides)

    def bottleneck(self, draft: Draft, name: str, *, channels: int, filters: int, strides: int) -> int:
        """Convolutions of 1 x 1, 3 x 3 and 1 x 1, the last with four times the filters; returns how many come out."""
        before = draft.last
        first, second = (strides, 1) if self.stride_in == "1x1" else (1, strides)
        self.convolve(draft, f"{name}_1", filters, 1, strides=first)
        self.convolve(draft, f"{name}_2", filters, 3, strides=second)
        wide = filters * EXPANSION
        inner = self.convolve(draft, f"{name}_3", wide, 1, activation=False)
        return self._meet(draft, name, before, inner, channels=channels, filters=wide, strides=strides)

    def convolve(
        self,
        draft: Draft,
        name: str,
        filters: int,
        kernel_size: int,
        *,
        strides: int = 1,
        padding: Padding = "same",
        activation: bool = True,
        after: str | None = None,
    ) -> str:
        """A convolution and its batch norm, and a ReLU unless told otherwise."""
        layer = Conv2D(
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            use_bias=self.conv_bias,
            kernel_initializer="he_normal",
        )
        return convolve(draft, name, layer, norm=self.norm, activation="relu" if activation else None, after=after)

    def _meet(
        self, draft: Draft, name: str, before: str, inner: str, *, channels: int, filters: int, strides: int
    ) -> int:
        if self.squeeze_ratio is not None:
            units = max(1, filters // self.squeeze_ratio)
            inner = squeeze_and_excite(draft, f"{name}_se", channels=filters, units=units, after=inner)
        around = before
        if strides > 1 or channels != filters:
            around = self._shortcut(draft, f"{name}_shortcut", before, filters=filters, strides=strides)
        draft.add(name, Add(), after=(around, inner))
        draft.add(f"{name}_activation", Activation("relu"))
        return filters

    def _shortcut(self, draft: Draft, name: str, before: str, *, filters: int, strides: int) -> str:
        if self.shortcut == "projection":
            return self.convolve(draft, name, filters, 1, strides=strides, activation=False, after=before)
        draft.add(f"{name}_pixels", AveragePooling2D(1, strides=strides), after=before)
        return draft.add(name, ChannelPadding(filters))
