"""Fine-tuning ways to compare, each in a process of its own. Run by `bench.alone`.

`tutorial` is `keras.applications` code as a tutorial writes it; `ours` is the second stage of our recipe on the same
network, batch and images; `recipe` is a whole recipe of ours.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ml.engine.quiet import quieten

quieten()

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from ml.kinds import load_recipe  # noqa: E402
from ml.reporter import Reporter  # noqa: E402
from records.orders import Order  # noqa: E402
from records.specs import parse_spec  # noqa: E402

SIDE, BATCH, STEPS, CLASSES = 224, 32, 6, 2


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Do what is asked, as `request["way"]` says."""
    tf.config.threading.set_intra_op_parallelism_threads(request["threads"])
    tf.config.threading.set_inter_op_parallelism_threads(request["threads"])
    return {"tutorial": tutorial, "ours": ours, "recipe": recipe}[request["way"]](request)


def tutorial(request: dict[str, Any]) -> dict[str, Any]:
    """Milliseconds a step of `Model.fit` on MobileNetV2 of `keras.applications`, all of it trained but batch norms.

    The base is called with `training=False`, as the guide on transfer learning has it. Random weights: its own need a
    download, and take the same time.
    """
    base = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(SIDE, SIDE, 3))
    inputs = keras.Input((SIDE, SIDE, 3))
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    means = keras.layers.GlobalAveragePooling2D()(base(scaled, training=False))
    model = keras.Model(inputs, keras.layers.Dense(CLASSES)(keras.layers.Dropout(0.2)(means)))
    for layer in base.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.AdamW(1e-4), loss=loss, metrics=["accuracy"])
    images, labels = _images()
    model.fit(images, labels, batch_size=BATCH, epochs=1, verbose=0)
    started = time.perf_counter()
    model.fit(images, labels, batch_size=BATCH, epochs=1, verbose=0)
    return {"step_ms": (time.perf_counter() - started) / STEPS * 1000}


def ours(request: dict[str, Any]) -> dict[str, Any]:
    """Milliseconds a step of our second stage on the same network, all of it trained but batch norms."""
    from ml.datasets import Part
    from ml.engine.build import build_model
    from ml.engine.freezing import PartialForward, freeze
    from ml.engine.images import TrainingImages
    from ml.engine.steps import TrainingSteps
    from ml.engine.transfer import group_by_rate
    from ml.networks import make_network
    from records.specs import FinetuneSpec

    network = make_network("mobilenet_v2", (SIDE, SIDE, 3), CLASSES, {})
    model = build_model(network, seed=0)
    still = freeze(model, network, frozenset(), train_norms=False)
    forward = PartialForward(model, network, still)
    groups = group_by_rate(FinetuneSpec(dataset="photos"), network, forward)
    steps = TrainingSteps(forward, groups, class_weights=None, label_smoothing=0.1)
    part = Part.of(*_images())
    images = TrainingImages(part, batch_size=BATCH, seed=0, augmentation=None, threads=request["threads"])
    rates = np.full(STEPS, 1e-4, np.float32)
    steps.run(images.batches(0, 0), rates, first=0, count=STEPS)
    started = time.perf_counter()
    steps.run(images.batches(1, 0), rates, first=0, count=STEPS)
    return {"step_ms": (time.perf_counter() - started) / STEPS * 1000}


def recipe(request: dict[str, Any]) -> dict[str, Any]:
    """Our whole recipe: what it says of validation, and how long it took in all, in seconds."""
    started = time.perf_counter()
    spec = parse_spec(request["spec"])
    with tempfile.TemporaryDirectory(dir=request["folder"]) as folder:
        order = Order.model_validate(
            {
                "job_id": 1,
                "attempt_number": 1,
                "spec": request["spec"],
                "device": {
                    "name": "cpu:0",
                    "kind": "cpu",
                    "index": 0,
                    "memory_bytes": 0,
                    "threads": request["threads"],
                },
                "inputs": request["inputs"],
                "folder": folder,
                "cache": str(Path(folder) / "cache"),
            }
        )
        summary = load_recipe(spec.kind)(spec, order, Reporter(lambda event: None))
    return {"accuracy": summary["val/accuracy"], "took_s": time.perf_counter() - started}


def _images() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (STEPS * BATCH, SIDE, SIDE, 3), np.uint8), rng.integers(0, CLASSES, STEPS * BATCH)


if __name__ == "__main__":
    print(json.dumps(run(json.load(sys.stdin))))
