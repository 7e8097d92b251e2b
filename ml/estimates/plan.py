"""How a network is to be trained, as far as memory and arithmetic go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OptimizerName = Literal["sgd", "momentum", "adam", "adamw"]
Precision = Literal["float32", "mixed"]
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
    accumulate: int = 1
    """Micro-batches that a batch is cut into; their gradients are added up."""
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
        return -(-self.batch_size // self.accumulate)

    @property
    def activation_bytes(self) -> int:
        """Bytes of one number in an activation."""
        return 4 if self.precision == "float32" else 2
