"""Does our recipe train as fast as Keras's own loop?

LeNet-5 on 54,000 images of MNIST, batch 128, each run in a fresh process: our `train` recipe (shuffled, curves within
the epoch, a checkpoint after each), `keras.Model.fit` as a tutorial writes it (`bench/baselines/keras_fit.py`), and
the same `fit` with `steps_per_execution=32`. In turn. Milliseconds a step over all epochs but the first, whose time
goes into tracing; validation after each epoch, and our checkpoints, are in it.
A user would pick `Model.fit`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.alone import run_python
from bench.datasets import fetch_mnist
from bench.results import Aim
from bench.setting import Measured, Setting
from bench.statistics import alternate, figure, ratio

AIM = Aim(relation="at most", value=1.0)
RECIPE, FIT = "bench.baselines.recipe_alone", "bench.baselines.keras_fit"
BATCH = 128


def measure(setting: Setting) -> Measured:
    """Milliseconds a step, three ways."""
    dataset = fetch_mnist(setting.folder)
    examples, epochs = setting.count(54_000, 12_800), setting.count(4, 2)
    ours, fit, chunked = alternate(
        setting.count(5, 1),
        _training(setting.folder, dataset, RECIPE, examples=examples, epochs=epochs),
        _training(setting.folder, dataset, FIT, examples=examples, epochs=epochs, steps_per_execution=1),
        _training(setting.folder, dataset, FIT, examples=examples, epochs=epochs, steps_per_execution=32),
    )
    return Measured(
        [
            figure("our recipe", "ms/step", ours),
            figure("Model.fit", "ms/step", fit),
            figure("Model.fit, steps_per_execution=32", "ms/step", chunked),
            ratio("our recipe : Model.fit", ours, fit, AIM),
            ratio("our recipe : Model.fit, steps_per_execution=32", ours, chunked, AIM),
        ]
    )


def _training(
    folder: Path, dataset: Path, module: str, *, examples: int, epochs: int, **more: Any
) -> Callable[[], float]:
    spec = {
        "kind": "train",
        "dataset": "mnist",
        "network": {"name": "lenet5"},
        "epochs": epochs,
        "batch_size": BATCH,
        "seed": 3,
        "train_examples": examples,
    }
    request = {"spec": spec, "dataset": str(dataset), "folder": str(folder), "threads": os.cpu_count(), **more}
    steps = -(-examples // BATCH)

    def train() -> float:
        ends: list[float] = run_python(module, request)["epochs_at_s"]
        return (ends[-1] - ends[0]) / ((len(ends) - 1) * steps) * 1000

    return train
