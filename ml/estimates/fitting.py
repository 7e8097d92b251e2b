"""Does a training fit a device, with which batch, and what would make it fit?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ml.estimates.peak import Peak, Training
from ml.estimates.plan import DeviceKind, Plan
from ml.estimates.remedies import Remedy, Smaller, largest_batch, list_remedies
from ml.networks import Network

RUNTIME_BYTES: dict[DeviceKind, int] = {"cpu": 510_000_000, "gpu": 700_000_000}
"""What a process takes before its first step: TensorFlow and Keras in main memory (measured in a fresh interpreter;
400 MB where it is forked); CUDA's context and the kernels' code on a GPU (assumed: none was at hand to measure it)."""
RESIDENT_SHARE: dict[DeviceKind, float] = {"cpu": 1.15, "gpu": 1.0}
"""Memory taken from the device for each byte of the allocator's peak. The allocator takes main memory in regions, whose
gaps and ends it does not have in use."""


@dataclass(frozen=True)
class Room:
    """A device's memory."""

    name: str
    kind: DeviceKind
    memory_bytes: int

    def needed(self, peak_bytes: int, beside_bytes: int) -> int:
        """Memory of the device that a process takes, in bytes.

        Args:
            peak_bytes: of the framework's allocator.
            beside_bytes: what it holds in main memory beside that (`Training.beside`); on a GPU it does not count.
        """
        beside = beside_bytes if self.kind == "cpu" else 0
        return RUNTIME_BYTES[self.kind] + round(peak_bytes * RESIDENT_SHARE[self.kind]) + beside

    def holds(self, peak_bytes: int, beside_bytes: int) -> bool:
        """Whether such a process fits."""
        return self.needed(peak_bytes, beside_bytes) <= self.memory_bytes


def advise(
    network: Network,
    training: Training,
    plan: Plan,
    rooms: Sequence[Room],
    *,
    peaks: Mapping[DeviceKind, Peak],
    factors: Mapping[DeviceKind, float],
    beside_bytes: int = 0,
    smaller: Smaller | None = None,
    saves_memory: bool = True,
) -> list[dict[str, Any]]:
    """For each device, as plain data: fits or not, the largest batch, and what would make it fit.

    Args:
        network: what is trained.
        training: of it.
        plan: how.
        rooms: the devices.
        peaks: of the training, by kind of device.
        factors: what measured jobs say that a peak must be multiplied by; 1 where nothing is said.
        beside_bytes: what the process holds in main memory beside the peak.
        smaller: a smaller network for the same images.
        saves_memory: whether the spec has fields for micro-batches, precision and recomputing.
    """
    answers: dict[tuple[DeviceKind, int], dict[str, Any]] = {}
    for room in rooms:
        key = (room.kind, room.memory_bytes)
        if key not in answers:
            peak, factor = peaks[room.kind], factors.get(room.kind, 1.0)
            answers[key] = _answer(training, plan, room, peak, factor, beside_bytes)
            if not answers[key]["fits"]:
                remedies = list_remedies(
                    network, training, plan, peak, kind=room.kind, smaller=smaller, saves_memory=saves_memory
                )
                answers[key]["remedies"] = [_shown(remedy, peak, room, factor, beside_bytes) for remedy in remedies]
    return [{"device": room.name, **answers[room.kind, room.memory_bytes]} for room in rooms]


def _answer(training: Training, plan: Plan, room: Room, peak: Peak, factor: float, beside: int) -> dict[str, Any]:
    high = round(peak.high * factor)
    return {
        "kind": room.kind,
        "memory_bytes": room.memory_bytes,
        "needed_bytes": room.needed(high, beside),
        "fits": room.holds(high, beside),
        "largest_batch": largest_batch(
            training,
            peak,
            kind=room.kind,
            holds=lambda bytes_: room.holds(round(bytes_ * factor), beside),
            batch=plan.batch_size,
        ),
        "remedies": [],
    }


def _shown(remedy: Remedy, peak: Peak, room: Room, factor: float, beside: int) -> dict[str, Any]:
    high = round(remedy.peak_bytes * factor * peak.high / max(1, peak.likely))
    return {**asdict(remedy), "fits": room.holds(high, beside)}
