"""What a training asks of the scheduler: device memory by kind of device, and processor threads."""

from __future__ import annotations

from collections.abc import Mapping

from ml.estimates.fitting import RESIDENT_SHARE, RUNTIME_BYTES
from ml.estimates.peak import Peak
from ml.estimates.plan import DeviceKind

SMALL_STEP = 2 * 10**9
"""Multiply-adds of a training step that keep no more than one thread busy. Two LeNet-5 at batch 128 (0.16 · 10⁹) on
two cores are 1.65 times as fast with one thread each, side by side, as one after the other with both; for ResNet-20
(16 · 10⁹) it makes no difference."""


def demand_of(peaks: Mapping[DeviceKind, Peak], *, beside_bytes: int) -> dict[str, dict[str, int]]:
    """By kind of device: bytes that a process takes in any case, and at most for its steps.

    Added, they are what `Room.needed` says for the upper end of the peak. They are kept apart because measured jobs
    correct the second alone.

    Args:
        peaks: by kind of device.
        beside_bytes: what the process holds in main memory beside the framework's allocator (`Cost.beside_bytes`).
    """
    beside: dict[DeviceKind, int] = {"cpu": beside_bytes}
    return {
        kind: {
            "runtime_bytes": RUNTIME_BYTES[kind] + beside.get(kind, 0),
            "peak_bytes": round(peak.high * RESIDENT_SHARE[kind]),
        }
        for kind, peak in peaks.items()
    }


def useful_threads(multiply_adds_step: int) -> int | None:
    """Threads of a CPU that a step of so much work makes use of; None for as many as there are."""
    return 1 if multiply_adds_step < SMALL_STEP else None
