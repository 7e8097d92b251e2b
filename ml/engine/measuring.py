"""A training's peaks, measured: the recipe's own step on random images, and what it does at the end of an epoch.

TensorFlow only.
"""

from __future__ import annotations

import time
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from ml.datasets.images import Part
from ml.engine.build import build_model, main_model
from ml.engine.evaluate import Evaluation
from ml.engine.images import TrainingImages
from ml.engine.keeper import CheckpointKeeper
from ml.engine.memory import forget_peak, peak_device_bytes
from ml.engine.optimizers import make_optimizer
from ml.engine.state import TrainingState
from ml.engine.steps import TrainingSteps
from ml.networks import Network
from ml.reporter import Reporter
from records.specs.train import Optimizer

BATCHES_AT_HAND = 4
CHUNKS = (1, 1, 2, 2, 2, *(4,) * 10)
"""Steps a call: as the recipe does, one by one and then several, 48 in all. Later steps take more than the first ones,
which still find the allocator's memory in one piece, and threads meet in another order each time."""


def measure_peak(
    network: Network,
    *,
    batch_size: int,
    optimizer: Optimizer,
    limit_s: float = 60.0,
    folder: Path | None = None,
) -> int:
    """The peak of the recipe's own training step on random images, in bytes. Call it in a process of its own.

    Args:
        network: what to train.
        batch_size: images a step.
        optimizer: with it.
        limit_s: begins no further steps after this time, in seconds.
        folder: where to do what the recipe does at the end of an epoch as well: score images, remember the best
            weights, write a checkpoint. It is not in the peak that is returned, but in that of the process.
    """
    rng = np.random.default_rng(0)
    count = BATCHES_AT_HAND * batch_size
    data = rng.integers(0, 256, (count, *network.input_shape), np.uint8)
    labels = rng.integers(0, network.classes, count)
    model, made = build_model(network, seed=0), make_optimizer(optimizer)
    images = TrainingImages(Part.of(data, labels), batch_size=batch_size, seed=0, augmentation=None, threads=2)
    steps = TrainingSteps.of(model, made, auxiliary=network.auxiliary)
    forget_peak()
    _run_steps(steps, images, limit_s)
    peak = peak_device_bytes()
    if folder is not None:
        _end_epoch(model, made, data, batch_size, folder)
    return peak


def _run_steps(steps: TrainingSteps, images: TrainingImages, limit_s: float) -> None:
    rates, done = np.full(BATCHES_AT_HAND, 1e-4, np.float32), 0
    started = time.monotonic()
    for chunk in CHUNKS:
        if done % BATCHES_AT_HAND == 0:
            batches = images.batches(done, 0)
        if done and time.monotonic() - started > limit_s:
            break
        steps.run(batches, rates, first=done % BATCHES_AT_HAND, count=chunk)
        done += chunk


def _end_epoch(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, images: NDArray[np.uint8], batch_size: int, folder: Path
) -> None:
    Evaluation(main_model(model), batch_size=batch_size).logits(images, between=lambda: None)
    state = TrainingState(best_weights=[weight.numpy() for weight in model.weights])
    keeper = CheckpointKeeper(
        folder,
        model=model,
        optimizers=[optimizer],
        identity={},
        reporter=Reporter(lambda event: None),
        every_s=0.0,
        clock=time.monotonic,
    )
    keeper.save(state)
