"""The inception module: four branches of convolutions and pooling, joined on their channels.

Szegedy et al.: Going deeper with convolutions (2014), figure 2b.
"""

from __future__ import annotations

from dataclasses import dataclass

from ml.networks.blocks import MOMENTUM, convolve, scaled, squeeze_and_excite
from ml.networks.graph import Draft
from ml.networks.layers import BatchNormalization, Concatenate, Conv2D, MaxPooling2D


@dataclass(frozen=True)
class Branches:
    """Filters of one module, as the columns of the paper's table 1."""

    one: int
    """1 x 1."""
    three_reduce: int
    """1 x 1, before the 3 x 3."""
    three: int
    five_reduce: int
    """1 x 1, before the 5 x 5."""
    five: int
    pool: int
    """1 x 1, after the pooling."""

    def channels(self, width: float) -> int:
        """Channels of the joined branches."""
        return sum(scaled(filters, width) for filters in (self.one, self.three, self.five, self.pool))


@dataclass(frozen=True)
class Convolutions:
    """How the convolutions of a network of such modules are made: `same`, with a ReLU."""

    width: float
    """What filters are multiplied by."""
    batch_norm: bool
    """Whether each is normalised; it has no bias then."""

    def draw(
        self, draft: Draft, name: str, filters: int, kernel_size: int, *, strides: int = 1, after: str | None = None
    ) -> str:
        """Add one."""
        layer = Conv2D(
            scaled(filters, self.width),
            kernel_size,
            strides=strides,
            padding="same",
            use_bias=not self.batch_norm,
            kernel_initializer="he_normal",
        )
        norm = BatchNormalization(momentum=MOMENTUM, epsilon=1e-5) if self.batch_norm else None
        return convolve(draft, name, layer, norm=norm, after=after)


def inception(
    draft: Draft, name: str, branches: Branches, convolutions: Convolutions, *, squeeze_ratio: int | None = None
) -> str:
    """A module after the last layer, with a squeeze-and-excitation at its end if it is given a ratio."""
    before = draft.last
    one = convolutions.draw(draft, f"{name}_1x1", branches.one, 1, after=before)
    convolutions.draw(draft, f"{name}_3x3_reduce", branches.three_reduce, 1, after=before)
    three = convolutions.draw(draft, f"{name}_3x3", branches.three, 3)
    convolutions.draw(draft, f"{name}_5x5_reduce", branches.five_reduce, 1, after=before)
    five = convolutions.draw(draft, f"{name}_5x5", branches.five, 5)
    draft.add(f"{name}_pool", MaxPooling2D(3, strides=1, padding="same"), after=before)
    pool = convolutions.draw(draft, f"{name}_pool_1x1", branches.pool, 1)
    joined = draft.add(name, Concatenate(), after=(one, three, five, pool))
    if squeeze_ratio is None:
        return joined
    channels = branches.channels(convolutions.width)
    return squeeze_and_excite(draft, f"{name}_se", channels=channels, units=max(1, channels // squeeze_ratio))
