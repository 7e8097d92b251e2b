"""The peak of a step whose operations the framework itself has told, over several steps as its executor runs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from ml.estimates.allocator import BestFitAllocator, ExactAllocator
from ml.estimates.executor import Executor, Task
from ml.estimates.ground import LEAST_BYTES, Ground
from ml.estimates.lifetimes import Operation, Schedule, Size
from ml.estimates.peak import Peak
from ml.estimates.plan import DeviceKind

STEPS = 24
"""Steps that are run in memory; the worst of them counts."""
LOW, HIGH = 0.9, 1.12
"""The range around the worst step, from the measured list in `docs/estimates.md`."""


@dataclass(frozen=True)
class TracedStep:
    """A step with all sizes fixed."""

    operations: Sequence[Operation]
    tasks: Sequence[Task]
    """One for each operation."""


def peak_of_steps(step: TracedStep, ground: Ground, *, kind: DeviceKind, threads: int) -> Peak:
    """Run some steps in memory alone, one after the other in the same allocator.

    Args:
        step: what is run.
        ground: what lies there before.
        kind: of the device.
        threads: that take operations up.
    """
    peaks = _run(step, ground, BestFitAllocator(), kind, threads, STEPS)
    worst = max(peaks)
    return Peak(
        low=round(min(peaks) * LOW),
        likely=worst,
        high=round(worst * HIGH),
        exact=max(_run(step, ground, ExactAllocator(), kind, threads, 1)),
        data=ground.data if kind == "cpu" else 0,
    )


def _run(
    step: TracedStep,
    ground: Ground,
    allocator: BestFitAllocator | ExactAllocator,
    kind: DeviceKind,
    threads: int,
    steps: int,
) -> list[int]:
    held = ground.lay(allocator, kind)
    variables = {name: Size(fixed=size) for name, size in (*ground.weights, *ground.slots)}
    executor, random, peaks = Executor(step.tasks, threads=threads), Random(0), []
    for _ in range(steps):
        schedule = Schedule(step.operations, turns=executor.run(random), variables=variables)
        peaks.append(schedule.walk(allocator, images=1, least_bytes=LEAST_BYTES[kind], held=held))
    return peaks
