"""What a training step really takes of the device's memory: measured, and read off the traced step. TensorFlow only."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import tensorflow as tf

from ml.datasets.images import Part
from ml.engine.build import build_model
from ml.engine.images import TrainingImages
from ml.engine.optimizers import make_optimizer
from ml.engine.steps import TrainingSteps
from ml.networks import Network
from records.specs.train import Optimizer

BATCHES_AT_HAND = 4
CHUNKS = (1, 1, 2, 2, 2, 2, 2)
"""Steps a call: as the recipe does, one by one and then several."""


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


class MemoryWatch:
    """What this process takes of the device and of main memory, from its making on."""

    def __init__(self) -> None:
        forget_peak()
        self._idle_bytes = _status_bytes("VmRSS")

    def facts(self) -> dict[str, int]:
        """`peak_device_bytes`, and where the system tells (Linux), `peak_resident_bytes` above the beginning."""
        found = {"peak_device_bytes": peak_device_bytes()}
        most = _status_bytes("VmHWM")
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


def measure_peak(network: Network, *, batch_size: int, optimizer: Optimizer, limit_s: float = 20.0) -> int:
    """The peak of the recipe's own training step on random images, in bytes. Call it in a process of its own.

    Args:
        network: what to train.
        batch_size: images a step.
        optimizer: with it.
        limit_s: begins no further steps after this time, in seconds.
    """
    rng = np.random.default_rng(0)
    count = BATCHES_AT_HAND * batch_size
    data = rng.integers(0, 256, (count, *network.input_shape), np.uint8)
    labels = rng.integers(0, network.classes, count)
    model = build_model(network, seed=0)
    images = TrainingImages(Part.of(data, labels), batch_size=batch_size, seed=0, augmentation=None, threads=2)
    steps = TrainingSteps.of(model, make_optimizer(optimizer), auxiliary=network.auxiliary)
    del data
    forget_peak()
    rates, done = np.full(BATCHES_AT_HAND, 1e-4, np.float32), 0
    started = time.monotonic()
    for chunk in CHUNKS:
        if done % BATCHES_AT_HAND == 0:
            batches = images.batches(done, 0)
        if done and time.monotonic() - started > limit_s:
            break
        steps.run(batches, rates, first=done % BATCHES_AT_HAND, count=chunk)
        done += chunk
    return peak_device_bytes()
