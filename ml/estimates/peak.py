"""The peak of a real training step, as a range: the operations of the step, walked over a model of the allocator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from random import Random

from ml.estimates.allocator import Allocator, BestFitAllocator, ExactAllocator
from ml.estimates.executor import Executor
from ml.estimates.ground import LEAST_BYTES, Ground
from ml.estimates.lifetimes import Schedule
from ml.estimates.plan import SLOTS, DeviceKind, OptimizerName, Plan
from ml.estimates.recomputing import spared_bytes
from ml.estimates.tracing import write_step
from ml.networks import Network

LEAST_STEPS, MOST_STEPS = 2, 6
WALKED_OPERATIONS = 4000
"""In all steps together, so that the deepest network's estimate takes milliseconds too."""
GRAPH_BYTES: dict[OptimizerName, int] = {"sgd": 800_000, "momentum": 1_100_000, "adam": 1_700_000, "adamw": 1_700_000}
"""Main memory that operations and kernels take for each trained array, forward, backward and update (measured)."""
EXACT_LOW = 0.95
LOW, LIKELY, HIGH = 0.82, 1.02, 1.25
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
    """A network's training as its memory sees it: written down once, then walked for any batch size.

    Args:
        network: what is trained.
        plan: how. Its batch size decides in which order operations are taken up.
        data_bytes: the training split, which lies in the CPU's memory.
    """

    def __init__(self, network: Network, plan: Plan, *, data_bytes: int = 0) -> None:
        script = write_step(network, plan)
        self.weights = Weights(script.trained_bytes, script.fixed_bytes)
        self._kernels = script.kernels_by_name
        executor, random = Executor(script.tasks()), Random(0)
        self._schedules = [
            Schedule(script.operations, turns=executor.run(random), variables=self._kernels)
            for _ in range(_steps(len(script.operations)))
        ]
        self._plan = plan
        self._spared_bytes = spared_bytes(network, plan) if plan.recompute else 0
        self._image_bytes = prod(network.input_shape) * (4 if plan.augmented else 1)
        self._data_bytes = data_bytes

    def peak(self, batch_size: int, *, kind: DeviceKind, micro: int | None = None) -> Peak:
        """The peak of a step on a device of this kind, in micro-batches as large as the plan has, or as are given."""
        dealt = self._walk(BestFitAllocator(), batch_size, kind, micro, steps=MOST_STEPS)
        exact = self.exact(batch_size, kind=kind, micro=micro)
        return Peak(
            low=round(min(exact * EXACT_LOW, dealt * LOW)),
            likely=round(dealt * LIKELY),
            high=round(dealt * HIGH),
            exact=exact,
            data=self._data_bytes if kind == "cpu" else 0,
        )

    def beside(self, *, images_bytes: int) -> int:
        """Main memory that the process holds beside the framework's allocator, in bytes.

        The images as they are picked out of the dataset before the framework copies them; the best weights so far, and
        while a checkpoint is written a copy of the weights, of their average where there is one, and of what the
        optimizer keeps; and the graph: operations and their kernels, many for each array of weights.
        """
        trained, fixed = sum(self.weights.trained), sum(self.weights.fixed)
        copies = (3 if self._plan.averaged else 2) * (trained + fixed) + trained * SLOTS[self._plan.optimizer]
        return images_bytes + copies + len(self.weights.trained) * GRAPH_BYTES[self._plan.optimizer]

    def exact(self, batch_size: int, *, kind: DeviceKind, micro: int | None = None) -> int:
        """The peak without rounding and gaps: nearly a straight line over the batch, and quick to find."""
        return self._walk(ExactAllocator(), batch_size, kind, micro, steps=1)

    def _walk(self, allocator: Allocator, batch_size: int, kind: DeviceKind, micro: int | None, *, steps: int) -> int:
        images = min(batch_size, micro or self._plan.micro or batch_size)
        slots = SLOTS[self._plan.optimizer] + (images < batch_size)
        weights = [(name, size.fixed) for name, size in self._kernels.items()]
        beside = self.weights.fixed + (self.weights.trained + self.weights.fixed if self._plan.averaged else ())
        ground = Ground(
            weights=weights + [("", size) for size in beside],
            slots=[("", size) for size in self.weights.trained for _ in range(slots)],
            data=self._data_bytes,
            batch=self._image_bytes * batch_size,
        )
        held = ground.lay(allocator, kind)
        least = LEAST_BYTES[kind]
        ground_bytes = allocator.in_use
        walked = max(
            schedule.walk(allocator, images=images, least_bytes=least, held=held)
            for schedule in self._schedules[:steps]
        )
        return max(ground_bytes, walked - self._spared_bytes * images)


def _steps(operations: int) -> int:
    """Steps to walk: later ones find other gaps than the first, and each runs in a slightly different order."""
    return max(LEAST_STEPS, min(MOST_STEPS, WALKED_OPERATIONS // operations))


class LargestOf:
    """Several trainings of one network, one after the other: their largest peak.

    Args:
        trainings: in their order; what is said of weights is the last one's.
    """

    def __init__(self, trainings: Sequence[Training]) -> None:
        self._trainings = trainings
        self.weights = trainings[-1].weights

    def peak(self, batch_size: int, *, kind: DeviceKind, micro: int | None = None) -> Peak:
        """The largest peak of a step on a device of this kind."""
        peaks = [training.peak(batch_size, kind=kind, micro=micro) for training in self._trainings]
        return max(peaks, key=lambda peak: peak.likely)

    def beside(self, *, images_bytes: int) -> int:
        """The most that the process holds beside the allocator, in bytes."""
        return max(training.beside(images_bytes=images_bytes) for training in self._trainings)

    def exact(self, batch_size: int, *, kind: DeviceKind, micro: int | None = None) -> int:
        """The largest without rounding and gaps."""
        return max(training.exact(batch_size, kind=kind, micro=micro) for training in self._trainings)
