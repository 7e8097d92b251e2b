"""What this process takes of the device's memory and of main memory. TensorFlow only."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf


def device_name() -> str:
    """The device that this process trains on: its GPU, or else the CPU."""
    return "GPU:0" if tf.config.list_logical_devices("GPU") else "CPU:0"


def peak_device_bytes() -> int:
    """The most that TensorFlow's allocator had in use since `forget_peak`, or since the start.

    On the CPU, allocations below 256 KiB go past the allocator and are not in it.
    """
    return int(tf.config.experimental.get_memory_info(device_name())["peak"])


def forget_peak() -> None:
    """Count the peak anew."""
    tf.config.experimental.reset_memory_stats(device_name())


def peak_resident_bytes() -> int | None:
    """The most main memory that this process has held, all of it; None where the system does not tell (not Linux)."""
    return _status_bytes("VmHWM")


class MemoryWatch:
    """What this process takes of the device and of main memory, from its making on."""

    def __init__(self) -> None:
        forget_peak()
        self._idle_bytes = _status_bytes("VmRSS")

    def facts(self) -> dict[str, int]:
        """`peak_device_bytes`, and where the system tells (Linux), `peak_resident_bytes` above the beginning."""
        found = {"peak_device_bytes": peak_device_bytes()}
        most = peak_resident_bytes()
        if most is not None and self._idle_bytes is not None:
            found["peak_resident_bytes"] = max(0, most - self._idle_bytes)
        return found


def _status_bytes(name: str) -> int | None:
    """A size from `/proc/self/status`; None where there is no such file."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), None)
