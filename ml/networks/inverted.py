"""Inverted residual blocks: wide inside and narrow between, as in MobileNetV2 and what came of it.

Sandler, Howard, Zhu, Zhmoginov, Chen: MobileNetV2: inverted residuals and linear bottlenecks (2018), figure 3.
"""

from __future__ import annotations

from dataclasses import dataclass

from ml.networks.blocks import convolve, squeeze_and_excite
from ml.networks.graph import Draft
from ml.networks.layers import (
    ActivationName,
    Add,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    StochasticDepth,
)


@dataclass(frozen=True)
class Squeeze:
    """The squeeze-and-excitation inside a block, after its maps were filtered."""

    units: int
    """Between its two dense layers."""
    activation: ActivationName = "relu"
    gates: ActivationName = "sigmoid"


@dataclass(frozen=True)
class Block:
    """One block: what goes in, how wide it is inside, what comes out."""

    channels: int
    """Maps that go in."""
    wide: int
    """Maps inside; where they are as many as go in, no convolution makes them."""
    filters: int
    """Maps that come out."""
    kernel_size: int = 3
    strides: int = 1
    squeeze: Squeeze | None = None
    drop: float = 0.0
    """Share of images for which training leaves the block out, where a shortcut goes around it."""


@dataclass(frozen=True)
class Inverted:
    """What the blocks of a network have in common."""

    norm: BatchNormalization
    """What follows each convolution."""
    activation: ActivationName = "relu6"

    def block(self, draft: Draft, name: str, block: Block) -> int:
        """Wide by a 1 x 1 convolution, filtered map by map, narrow again without an activation; returns the maps."""
        before = draft.last
        if block.wide != block.channels:
            self.convolve(draft, f"{name}_expand", block.wide, 1)
        layer = DepthwiseConv2D(
            block.kernel_size,
            strides=block.strides,
            padding="same",
            use_bias=False,
            depthwise_initializer="he_normal",
        )
        convolve(draft, f"{name}_depthwise", layer, norm=self.norm, activation=self.activation)
        self._squeeze(draft, name, block)
        self.convolve(draft, f"{name}_project", block.filters, 1, activation=False)
        return _around(draft, name, block, before)

    def fused(self, draft: Draft, name: str, block: Block) -> int:
        """The same with one whole convolution in place of the first two (Tan, Le 2021); returns the maps."""
        before, window, strides = draft.last, block.kernel_size, block.strides
        if block.wide == block.channels:
            self.convolve(draft, f"{name}_project", block.filters, window, strides=strides)
            return _around(draft, name, block, before)
        self.convolve(draft, f"{name}_expand", block.wide, window, strides=strides)
        self._squeeze(draft, name, block)
        self.convolve(draft, f"{name}_project", block.filters, 1, activation=False)
        return _around(draft, name, block, before)

    def convolve(
        self, draft: Draft, name: str, filters: int, kernel_size: int, *, strides: int = 1, activation: bool = True
    ) -> str:
        """A whole convolution with its norm, and the activation unless told otherwise."""
        layer = Conv2D(
            filters, kernel_size, strides=strides, padding="same", use_bias=False, kernel_initializer="he_normal"
        )
        return convolve(draft, name, layer, norm=self.norm, activation=self.activation if activation else None)

    def _squeeze(self, draft: Draft, name: str, block: Block) -> None:
        if block.squeeze is not None:
            squeeze_and_excite(
                draft,
                f"{name}_se",
                channels=block.wide,
                units=block.squeeze.units,
                activation=block.squeeze.activation,
                gates=block.squeeze.gates,
            )


def _around(draft: Draft, name: str, block: Block, before: str) -> int:
    """Add what came in, where it has the shape of what comes out."""
    if block.strides == 1 and block.channels == block.filters:
        if block.drop:
            draft.add(f"{name}_drop", StochasticDepth(block.drop))
        draft.add(name, Add(), after=(before, draft.last))
    return block.filters
