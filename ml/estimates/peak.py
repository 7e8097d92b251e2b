"""The peak of a real training step, as a range: the operations of the step, walked over a model of the allocator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from ml.estimates.allocator import Allocator, BestFitAllocator, ExactAllocator
from ml.estimates.lifetimes import Operation, Schedule
from ml.estimates.plan import SLOTS, DeviceKind, Plan
from ml.estimates.script import Script
from ml.estimates.tracing import write_step
from ml.networks import Network

LEAST_BYTES: dict[DeviceKind, int] = {"cpu": 256 * 1024, "gpu": 16 * 1024}
"""Smaller tensors are left out: on the CPU TensorFlow's allocator asks the system for them and its peak does not count
them; on a GPU they weigh nothing, and there are many."""
PREFETCHED = 5
"""Batches that the pipeline holds ready, and the one it makes (`ml.engine.images`)."""
EXACT_LOW = 0.95
LOW, LIKELY, HIGH = 0.88, 1.03, 1.26
"""The range around the walk, from the measured list in `docs/estimates.md`."""


@dataclass(frozen=True)
class Peak:
    """Bytes of device memory that TensorFlow's allocator will have in use at the worst moment of a step."""

    low: int
    likely: int
    high: int
    exact: int
    """Without the allocator's rounding and gaps."""
    data: int
    """Of it, images that lie on the device: the training split on the CPU, none on a GPU."""


@dataclass(frozen=True)
class Weights:
    """Bytes of weights, one number an array, in the order of the layers."""

    trained: tuple[int, ...]
    fixed: tuple[int, ...]


class Training:
    """A network's training as its memory sees it: traced once, then walked for any batch size.

    Args:
        network: what is trained.
        plan: how; its batch size and accumulation do not matter here.
        data_bytes: the training split, which lies in the CPU's memory.
        operations: those of a step that was traced by the framework, for `plan.batch_size` images; walked instead.
    """

    def __init__(
        self, network: Network, plan: Plan, *, data_bytes: int = 0, operations: Sequence[Operation] | None = None
    ) -> None:
        script = write_step(network, plan) if operations is None else Script(network, plan)
        self.weights = Weights(script.trained_bytes, script.fixed_bytes)
        self._schedule = Schedule(script.operations if operations is None else operations)
        self._plan = plan
        self._image_bytes = prod(network.input_shape) * (4 if plan.augmented else 1)
        self._data_bytes = data_bytes

    def peak(self, batch_size: int, *, kind: DeviceKind, accumulate: int = 1) -> Peak:
        """The peak of a step on a device of this kind."""
        dealt = self._walk(BestFitAllocator(), batch_size, kind, accumulate)
        exact = self.exact(batch_size, kind=kind, accumulate=accumulate)
        return Peak(
            low=round(min(exact * EXACT_LOW, dealt * LOW)),
            likely=round(dealt * LIKELY),
            high=round(dealt * HIGH),
            exact=exact,
            data=self._data_bytes if kind == "cpu" else 0,
        )

    def exact(self, batch_size: int, *, kind: DeviceKind, accumulate: int = 1) -> int:
        """The peak without rounding and gaps: nearly a straight line over the batch, and quick to find."""
        return self._walk(ExactAllocator(), batch_size, kind, accumulate)

    def _walk(self, allocator: Allocator, batch_size: int, kind: DeviceKind, accumulate: int) -> int:
        least = LEAST_BYTES[kind]
        for size in self.weights.trained + self.weights.fixed:
            if size >= least:
                _hold_drawn(allocator, size)
        kept = list(self.weights.trained) * (SLOTS[self._plan.optimizer] + (accumulate > 1))
        if kind == "cpu":
            kept = [self._data_bytes, *kept, *[self._image_bytes * batch_size] * PREFETCHED]
        for size in kept:
            if size >= least:
                allocator.allocate(size)
        return self._schedule.walk(allocator, images=-(-batch_size // accumulate), least_bytes=least)


class LargestOf:
    """Several trainings of one network, one after the other: their largest peak.

    Args:
        trainings: in their order; what is said of weights is the last one's.
    """

    def __init__(self, trainings: Sequence[Training]) -> None:
        self._trainings = trainings
        self.weights = trainings[-1].weights

    def peak(self, batch_size: int, *, kind: DeviceKind, accumulate: int = 1) -> Peak:
        """The largest peak of a step on a device of this kind."""
        peaks = [training.peak(batch_size, kind=kind, accumulate=accumulate) for training in self._trainings]
        return max(peaks, key=lambda peak: peak.likely)

    def exact(self, batch_size: int, *, kind: DeviceKind, accumulate: int = 1) -> int:
        """The largest without rounding and gaps."""
        return max(training.exact(batch_size, kind=kind, accumulate=accumulate) for training in self._trainings)


def _hold_drawn(allocator: Allocator, size: int) -> None:
    """Weights are drawn at random: the raw numbers lie beside each array until it is done, and leave a gap."""
    raw = allocator.allocate(size)
    allocator.allocate(size)
    allocator.free(raw)
