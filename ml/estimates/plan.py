"""How a network is to be trained, as far as memory and arithmetic go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from records.specs.memory import Precision

OptimizerName = Literal["sgd", "momentum", "adam", "adamw"]
DeviceKind = Literal["cpu", "gpu"]

SLOTS: dict[OptimizerName, int] = {"sgd": 0, "momentum": 1, "adam": 2, "adamw": 2}
"""Arrays that an optimizer keeps for each trained one."""


@dataclass(frozen=True)
class Plan:
    """A training's settings."""

    batch_size: int
    optimizer: OptimizerName = "adam"
    precision: Precision = "float32"
    """`mixed`: 16-bit activations, 32-bit weights."""
    micro: int | None = None
    """Images that go through the network at one time, the gradients of a batch's parts added up; the whole batch when
    left out."""
    recompute: bool = False
    """Whether activations inside a block are computed again in the backward pass instead of kept."""
    augmented: bool = False
    """Whether images come as 32-bit numbers from the augmentation, instead of as bytes."""
    averaged: bool = False
    """Whether an average of the weights is kept beside them."""
    frozen: frozenset[str] = frozenset()
    """Layers that run as after training: their weights stay, they drop nothing, and keep nothing for a gradient."""

    @property
    def micro_batch(self) -> int:
        """Images that go through the network at one time."""
        return min(self.micro or self.batch_size, self.batch_size)

    @property
    def activation_bytes(self) -> int:
        """Bytes of one number in an activation."""
        return 4 if self.precision == "float32" else 2
