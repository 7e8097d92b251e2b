"""What a style transfer costs before it runs: the feature network's maps at the largest size. Pure arithmetic.

A step runs the feature network forward and back to the image; its weights are still. So it keeps what every nonlinear
layer gave, as the way back needs it, and computes twice the multiply-adds of the way forward.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from math import prod
from typing import Any

from ml.estimates.estimate import Estimate
from ml.estimates.fitting import Room
from ml.estimates.peak import Peak
from ml.estimates.plan import DeviceKind
from ml.estimates.remedies import Remedy
from ml.estimates.textbook import FLOAT_BYTES, count_by_hand
from ml.networks import Network
from ml.networks.cut import cut_after
from ml.networks.feature_networks import FeatureNetwork
from ml.style.sizes import Level

LINEAR = frozenset(
    {"Conv2D", "DepthwiseConv2D", "BatchNormalization", "Rescaling", "ChannelOrder", "Add", "Concatenate"}
)
"""Layers whose gradient does not need what they gave, while their weights are still."""
WAYS = 2
"""Forward, and back to the image."""
LBFGS_ROWS, ADAM_ROWS = 2 * 8 + 6, 5
"""Images of 32-bit numbers that the optimizer and the loss hold."""
FIXED_BYTES = 40_000_000
"""What three measured peaks have beyond the count, whatever the size: buffers of convolutions, and the first look."""
BESIDE_BYTES = 140_000_000
"""Main memory that the process holds beside the allocator's (74 to 134 MB were measured)."""
READ_BYTES = 6
"""For each pixel of a picture while it is read, before it is shrunk."""
LOW, LIKELY, HIGH = 0.85, 1.03, 1.3
"""The range around the count, from measured peaks (`docs/style-transfer.md`)."""
LEAST_PX = 64
"""Smaller pictures are not proposed."""


@dataclass(frozen=True)
class PaintingCost:
    """What a style transfer would cost."""

    chosen: FeatureNetwork
    """The largest feature network that it may turn out to use."""
    layers: tuple[str, ...]
    """That are looked at."""
    style_layers: tuple[str, ...]
    levels: tuple[Level, ...]
    optimizer: str
    precision: str
    picture_pixels: int = 0
    """Width times height of the largest picture that is read."""

    @property
    def work(self) -> int:
        """Multiply-adds of the whole, which its time follows."""
        return count_multiply_adds(self.chosen, self.layers, self.levels)

    @cached_property
    def estimate(self) -> Estimate:
        """The whole estimate. A step is one on the largest size; there is no epoch but the whole."""
        level, front = self.levels[-1], self._front
        weights = front.parameters * FLOAT_BYTES
        return Estimate(
            trainable_parameters=level.height * level.width * 3,
            fixed_parameters=front.parameters,
            weights_bytes=weights,
            gradients_bytes=level.height * level.width * 3 * FLOAT_BYTES,
            optimizer_bytes=self._optimizer_bytes,
            by_hand=count_by_hand(front, batch_size=1),
            peaks={kind: self._peak(level) for kind in _KINDS},
            multiply_adds_image=front.multiply_adds,
            multiply_adds_step=WAYS * front.multiply_adds,
            steps_per_epoch=sum(level.steps for level in self.levels),
        )

    def advise(self, rooms: Sequence[Room], factors: Mapping[DeviceKind, float]) -> list[dict[str, Any]]:
        """For each device: fits or not, and the size that would."""
        peak = self.estimate.peaks["cpu"]
        return [{"device": room.name, **self._answer(room, peak, factors.get(room.kind, 1.0))} for room in rooms]

    def _answer(self, room: Room, peak: Peak, factor: float) -> dict[str, Any]:
        high = round(peak.high * factor)
        fits = room.holds(high, self.beside_bytes)
        return {
            "kind": room.kind,
            "memory_bytes": room.memory_bytes,
            "needed_bytes": room.needed(high, self.beside_bytes),
            "fits": fits,
            "largest_batch": int(fits),
            "remedies": [] if fits else self._remedies(room, peak, factor),
        }

    def _remedies(self, room: Room, peak: Peak, factor: float) -> list[dict[str, Any]]:
        """The largest power-of-two share of the size that fits."""
        longest = max(self.levels[-1].height, self.levels[-1].width)
        size = longest // 2
        while size >= LEAST_PX:
            smaller = self._at(size)
            found = smaller._peak(smaller.levels[-1])
            if room.holds(round(found.high * factor), self.beside_bytes):
                remedy = Remedy(
                    code="smaller_picture",
                    title=f"A picture of {size:,} px on its longer side",
                    saves_bytes=peak.likely - found.likely,
                    peak_bytes=found.likely,
                    change={"size": size},
                )
                return [{**asdict(remedy), "fits": True}]
            size //= 2
        return []

    def _at(self, size: int) -> PaintingCost:
        level = self.levels[-1]
        scale = size / max(level.height, level.width)
        made = Level(max(1, round(level.height * scale)), max(1, round(level.width * scale)), level.steps)
        return replace(self, levels=(made,))

    @cached_property
    def _front(self) -> Network:
        return front_of(self.chosen, self.layers, self.levels[-1])

    @property
    def beside_bytes(self) -> int:
        """Main memory that the process holds beside the allocator's: the pictures while they are read, and the rest."""
        return BESIDE_BYTES + READ_BYTES * self.picture_pixels

    @property
    def _optimizer_bytes(self) -> int:
        rows = LBFGS_ROWS if self.optimizer == "lbfgs" else ADAM_ROWS
        return self.levels[-1].height * self.levels[-1].width * 3 * FLOAT_BYTES * rows

    def _peak(self, level: Level) -> Peak:
        shapes = self._front.output_shapes
        number_bytes = FLOAT_BYTES if self.precision == "float32" else 2
        kept = [prod(shapes[node.name]) for node in self._front.layers if node.layer.type not in LINEAR]
        passing = 2 * max(prod(shape) for shape in shapes.values())
        targets = sum(prod(shapes[name]) for name in self.layers) * FLOAT_BYTES
        grams = sum(3 * shapes[name][-1] ** 2 for name in self.style_layers) * FLOAT_BYTES
        count = (sum(kept) + passing) * number_bytes + targets + grams
        count += self._front.parameters * FLOAT_BYTES + self._optimizer_bytes + FIXED_BYTES
        return Peak(low=round(LOW * count), likely=round(LIKELY * count), high=round(HIGH * count), exact=count, data=0)


_KINDS: tuple[DeviceKind, ...] = ("cpu", "gpu")


def front_of(chosen: FeatureNetwork, layers: Sequence[str], level: Level) -> Network:
    """The part of a feature network that these layers need, for pictures of a size."""
    return cut_after(chosen.draw(level.height, level.width), layers)


def count_multiply_adds(chosen: FeatureNetwork, layers: Sequence[str], levels: Sequence[Level]) -> int:
    """Multiply-adds of all steps on all sizes."""
    return sum(WAYS * level.steps * front_of(chosen, layers, level).multiply_adds for level in levels)
