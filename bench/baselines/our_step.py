"""Our network and our compiled step on random images, a short epoch at a turn. Run by `bench.in_turn`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from ml.engine.device import prepare_device
from ml.engine.quiet import quieten

quieten()

import keras  # noqa: E402
import numpy as np  # noqa: E402

from bench.baselines.random_images import CLASSES, RATE, random_images  # noqa: E402
from bench.in_turn import serve  # noqa: E402
from ml.datasets.images import Part  # noqa: E402
from ml.engine.build import build_model  # noqa: E402
from ml.engine.images import TrainingImages  # noqa: E402
from ml.engine.steps import TrainingSteps  # noqa: E402
from ml.networks import make_network  # noqa: E402
from records.orders import OrderedDevice  # noqa: E402


def begin(request: dict[str, Any]) -> tuple[dict[str, Any], Callable[[], float]]:
    """Build, and run the first steps, which are traced; as in a job, operations are deterministic."""
    threads, batch_size, count = request["threads"], request["batch_size"], request["steps"]
    prepare_device(OrderedDevice(name="cpu:0", kind="cpu", index=0, memory_bytes=2**36, threads=threads))
    shape = tuple(request["shape"])
    network = make_network(request["network"], shape, CLASSES, request["options"])
    model = build_model(network, seed=0)
    images, labels = random_images(shape, count * batch_size)
    part = Part.of(images, labels)
    fed = TrainingImages(part, batch_size=batch_size, seed=0, augmentation=None, threads=threads)
    steps = TrainingSteps.of(model, keras.optimizers.Adam(), auxiliary=network.auxiliary)
    rates, epoch = np.full(count, RATE, np.float32), 0

    def turn() -> float:
        nonlocal epoch
        started = time.perf_counter()
        steps.run(fed.batches(epoch, 0), rates, first=0, count=count)
        epoch += 1
        return time.perf_counter() - started

    turn()
    return {"parameters": model.count_params()}, turn


if __name__ == "__main__":
    serve(begin, sys.stdin, sys.stdout)
