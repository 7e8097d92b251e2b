"""The same network written plainly, and the step of Keras's guide. Run by `bench.in_turn`.

The step is that of the guide "Writing a training loop from scratch in TensorFlow": a `tf.function` with a
`GradientTape`, loss and accuracy, fed by a `tf.data` pipeline that shuffles, batches and prefetches. Of what people
write it is the fast way: `Model.fit` takes longer (`bench.cases.recipe`). TensorFlow is left as it comes, with as many
threads.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from ml.engine.quiet import quieten

quieten()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from bench.baselines import plain_networks  # noqa: E402
from bench.baselines.random_images import RATE, random_images  # noqa: E402
from bench.in_turn import serve  # noqa: E402

HEAD_WEIGHT = 0.3


def begin(request: dict[str, Any]) -> tuple[dict[str, Any], Callable[[], float]]:
    """Build, and run the first steps, which are traced."""
    tf.config.threading.set_intra_op_parallelism_threads(request["threads"])
    tf.config.threading.set_inter_op_parallelism_threads(request["threads"])
    shape, count = tuple(request["shape"]), request["steps"]
    model = getattr(plain_networks, request["network"])(shape)
    data = random_images(shape, count * request["batch_size"])
    dataset = tf.data.Dataset.from_tensor_slices(data).shuffle(len(data[0])).batch(request["batch_size"]).repeat()
    batches, step = iter(dataset.prefetch(tf.data.AUTOTUNE)), _make_step(model)

    def turn() -> float:
        started = time.perf_counter()
        for _ in range(count):
            loss = step(*next(batches))
        float(loss)
        return time.perf_counter() - started

    turn()
    return {"parameters": model.count_params()}, turn


def _make_step(model: keras.Model) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    optimizer = keras.optimizers.Adam(RATE)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    accuracy = keras.metrics.SparseCategoricalAccuracy()

    @tf.function
    def step(images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            said = model(images, training=True)
            logits, *heads = said if isinstance(said, list) else [said]
            loss = loss_of(labels, logits) + HEAD_WEIGHT * sum(loss_of(labels, head) for head in heads)
        weights = model.trainable_weights
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        accuracy.update_state(labels, logits)
        return loss

    return step


if __name__ == "__main__":
    serve(begin, sys.stdin, sys.stdout)
