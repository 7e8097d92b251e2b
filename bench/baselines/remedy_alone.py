"""One row of `bench.cases.remedies`, run in a process of its own: the peak of the recipe's step that saves memory so.

Reads JSON from standard input: `network` as data, `batch_size`, `micro_batch`, `precision`, `recompute`.
"""

from __future__ import annotations

import json
import sys
from typing import Any

THREADS = 2
BATCHES, STEPS = 4, 12


def measure(request: dict[str, Any]) -> int:
    """Bytes that TensorFlow's allocator had in use at most, over some steps on random images."""
    from ml.engine.device import prepare_device
    from records.orders import OrderedDevice

    prepare_device(OrderedDevice(name="cpu:0", kind="cpu", index=0, memory_bytes=2**36, threads=THREADS))

    import keras
    import numpy as np

    from ml.datasets.images import Part
    from ml.engine.build import build_model
    from ml.engine.images import TrainingImages
    from ml.engine.memory import forget_peak, peak_device_bytes
    from ml.engine.precision import layer_policy
    from ml.engine.recompute import RecomputedForward
    from ml.engine.steps import Forward, RateGroup, TrainingSteps
    from ml.networks import Network

    network, batch_size = Network.from_json(request["network"]), request["batch_size"]
    rng, count = np.random.default_rng(0), BATCHES * request["batch_size"]
    pictures = rng.integers(0, 256, (count, *network.input_shape), np.uint8)
    part = Part.of(pictures, rng.integers(0, network.classes, count))
    model = build_model(network, seed=0, policy=layer_policy(request["precision"], device_kind="cpu"))
    whole = Forward(model)
    forward = RecomputedForward(whole, model, network) if request["recompute"] else whole
    groups = [RateGroup(keras.optimizers.SGD(0.0, momentum=0.9), whole.variables)]
    steps = TrainingSteps(forward, groups, class_weights=None, micro_batch=request["micro_batch"])
    images = TrainingImages(part, batch_size=batch_size, seed=0, augmentation=None, threads=THREADS)
    forget_peak()
    rates = np.full(BATCHES, 1e-3, np.float32)
    for epoch in range(STEPS // BATCHES):
        steps.run(images.batches(epoch, 0), rates, first=0, count=BATCHES)
    return peak_device_bytes()


if __name__ == "__main__":
    print(json.dumps({"peak_bytes": measure(json.load(sys.stdin))}))
