"""What lies in a device's memory before the first step, dealt in the order in which a training makes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ml.estimates.allocator import Allocator
from ml.estimates.plan import DeviceKind

LEAST_BYTES: dict[DeviceKind, int] = {"cpu": 256 * 1024, "gpu": 16 * 1024}
"""Smaller tensors are left out: on the CPU TensorFlow's allocator asks the system for them and its peak does not count
them; on a GPU they weigh nothing, and there are many."""
PREFETCHED = 5
"""Batches that the pipeline holds ready, and the one it makes (`ml.engine.images.PREFETCHED_BATCHES` and one)."""


@dataclass(frozen=True)
class Ground:
    """Sizes in bytes. On a GPU neither the training split nor the batches at hand are on the device."""

    weights: Sequence[tuple[str, int]]
    """Name and size, in the order of the layers."""
    slots: Sequence[tuple[str, int]]
    """What the optimizer keeps."""
    data: int
    """The training split."""
    batch: int
    """The images of one batch, as the pipeline hands them over."""

    def lay(self, allocator: Allocator, kind: DeviceKind) -> dict[str, int]:
        """Deal it all; the handles of weights and slots, but for those too small to count."""
        least, held = LEAST_BYTES[kind], {}
        for name, size in _counted(self.weights, least):
            held[name] = _draw(allocator, size)
        if kind == "cpu" and self.data >= least:
            allocator.allocate(self.data)
        for name, size in _counted(self.slots, least):
            held[name] = allocator.allocate(size)
        if kind == "cpu" and self.batch >= least:
            for _ in range(PREFETCHED):
                allocator.allocate(self.batch)
        return held


def _counted(sizes: Iterable[tuple[str, int]], least: int) -> Iterable[tuple[str, int]]:
    return ((name, size) for name, size in sizes if size >= least)


def _draw(allocator: Allocator, size: int) -> int:
    """Weights are drawn at random: raw numbers, those times a factor, and that plus a mean lie side by side.

    Only the last stays, and what comes next falls into the gaps (`tf.random.stateless_truncated_normal`).
    """
    raw, scaled, done = (allocator.allocate(size) for _ in range(3))
    allocator.free(scaled)
    allocator.free(raw)
    return done
