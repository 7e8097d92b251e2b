"""The same training as a Keras tutorial writes it: float32 arrays, `compile`, `fit`. Run by `bench.alone`.

Same network (it scales the images itself) with the same first weights, same images, batch, optimizer and validation
part as our recipe. It keeps no checkpoint, no curve within an epoch, cannot be stopped between steps, and its
learning rate stays the same.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from ml.engine.quiet import quieten

quieten()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from ml.datasets import load_images, split_validation  # noqa: E402
from ml.engine.build import build_model  # noqa: E402
from ml.networks import make_network  # noqa: E402
from records.specs import TrainSpec, parse_spec  # noqa: E402


class Times(keras.callbacks.Callback):
    """When each epoch had ended, validation included."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs_at_s: list[float] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Note the time."""
        self.epochs_at_s.append(time.perf_counter())


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Train; the result says when each epoch had ended, in seconds, and how good the model is."""
    tf.config.threading.set_intra_op_parallelism_threads(request["threads"])
    tf.config.threading.set_inter_op_parallelism_threads(request["threads"])
    spec = parse_spec(request["spec"])
    assert isinstance(spec, TrainSpec)
    data = load_images(spec.dataset, Path(request["dataset"]))
    chosen, held_out = split_validation(data.train_labels, spec.validation_fraction, spec.seed)
    chosen = chosen[: spec.train_examples]
    images, labels = data.train_images.astype("float32"), data.train_labels

    network = make_network(spec.network.name, data.image_shape, len(data.classes), dict(spec.network.options))
    model = build_model(network, seed=spec.seed)
    model.compile(
        optimizer=keras.optimizers.Adam(spec.learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=request["steps_per_execution"],
    )
    times = Times()
    history = model.fit(
        images[chosen],
        labels[chosen],
        batch_size=spec.batch_size,
        epochs=spec.epochs,
        validation_data=(images[held_out], labels[held_out]),
        callbacks=[times],
        verbose=0,
    )
    return {"epochs_at_s": times.epochs_at_s, "summary": {"val/accuracy": history.history["val_accuracy"][-1]}}


if __name__ == "__main__":
    print(json.dumps(run(json.load(sys.stdin))))
