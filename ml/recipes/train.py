"""The recipe of `kind: train`: a network learns to classify images, from random weights.

    trainyard submit examples/lenet5-mnist.json
    expect a test accuracy of about 0.992 (LeNet-5 on MNIST)

Softmax cross-entropy is minimised by stochastic gradient steps over shuffled batches (LeCun et al. 1998), with the
optimizer, schedule and augmentation of the spec; auxiliary heads, where a network has them, add their losses and are
left out of what is kept. After each epoch the validation part is measured; the weights of the epoch that did best
there are the ones that meet the test images, once, at the end.

Every random draw follows from the spec's seed and the number of the step, and a checkpoint holds the rest: a training
that was stopped anywhere ends with the same weights as one that was not, bit for bit on the CPU.
"""

from __future__ import annotations

import time
from typing import Any

import keras
import numpy as np

from ml.datasets import class_weights, load_images, split_validation
from ml.engine.build import build_model, main_model
from ml.engine.evaluate import Evaluation, Score, score
from ml.engine.identity import describe_surroundings, training_identity
from ml.engine.keeper import CheckpointKeeper
from ml.engine.memory import MemoryWatch
from ml.engine.optimizers import make_optimizer
from ml.engine.results import Results
from ml.engine.state import TrainingState
from ml.engine.steps import TrainingImages, TrainingSteps
from ml.engine.stopwatch import Stages
from ml.engine.training import Training
from ml.networks import draw_network
from ml.reporter import Reporter
from records.orders import Order
from records.specs import TrainSpec


def train(spec: TrainSpec, order: Order, reporter: Reporter) -> dict[str, Any]:
    """Train, test, and keep the results in `order.folder`.

    Args:
        spec: what to train.
        order: `inputs["dataset"]` is the folder of the dataset's files; `checkpoint` is where to go on from.
        reporter: hears of all that happens.

    Returns:
        `test/accuracy`, `test/loss`, `val/accuracy`, `val/loss` (both of the best epoch), `epochs`, `best_epoch`.

    Raises:
        Interruption: stopped as asked, after a checkpoint.
        Diverged, DiskFull, ResumeImpossible, DatasetUnreadable: as in `records.errors`.
    """
    stages = Stages(reporter, time.perf_counter)
    stages.begin("loading")
    memory = MemoryWatch()
    data = load_images(spec.dataset, order.inputs["dataset"])
    train_indices, val_indices = _split(data.train_labels, spec)
    train_labels = data.train_labels[train_indices]
    val_images, val_labels = data.train_images[val_indices], data.train_labels[val_indices]

    stages.begin("building")
    keras.utils.set_random_seed(spec.seed)
    network = draw_network(spec.network, data.image_shape, len(data.classes))
    trained = build_model(network, seed=spec.seed)
    model = main_model(trained)
    images = TrainingImages(
        data.train_images[train_indices],
        train_labels,
        batch_size=min(spec.batch_size, len(train_indices)),
        seed=spec.seed,
        augmentation=spec.augmentation,
        threads=order.device.threads,
    )
    optimizer = make_optimizer(spec.optimizer)
    weights = class_weights(spec.class_weights, train_labels, data.classes)
    steps = TrainingSteps(trained, optimizer, class_weights=weights, auxiliary=network.auxiliary)
    evaluation = Evaluation(model, batch_size=images.batch_size)
    keeper = CheckpointKeeper(
        order.folder,
        model=trained,
        optimizer=optimizer,
        identity=training_identity(spec, order),
        reporter=reporter,
        every_s=spec.checkpoint_every_s,
        clock=time.monotonic,
    )
    state = keeper.restore(order.checkpoint) if order.checkpoint else TrainingState()
    record = describe_surroundings(order) | {
        "seed": spec.seed,
        "parameters": model.count_params(),
        "parameters_in_training": trained.count_params(),
        "images": {"train": len(train_indices), "val": len(val_indices), "test": len(data.test_labels)},
        "resumed_from_step": state.step if order.checkpoint else None,
    }
    reporter.facts(record)

    stages.begin("training")
    training = Training(spec, images, steps, keeper, reporter)
    while state.epoch < spec.epochs and not state.ended_early:
        training.run_epoch(state)
        logits = evaluation.logits(val_images, between=lambda: keeper.stop_if_asked(state))
        training.end_epoch(state, score(logits, val_labels), model)
        keeper.save(state)
        reporter.facts(memory.facts())

    stages.begin("testing")
    results = Results(order.folder, reporter)
    results.keep_weights(model, "last")
    for weight, best in zip(model.weights, state.best_weights, strict=True):
        weight.assign(best)
    results.keep_weights(model, "best")
    logits = evaluation.logits(data.test_images, between=lambda: None)
    tested = score(logits, data.test_labels)
    training.add_points(state, {"test/loss": tested.loss, "test/accuracy": tested.accuracy})

    stages.begin("reporting")
    summary = _summary(state, tested)
    results.keep_model(model)
    results.keep_history(state.history, state.points)
    results.keep_test(data.test_images, data.test_labels, logits, data.classes)
    durations = {"durations_s": stages.seconds, "steps_s": state.train_s, "metrics": summary, **memory.facts()}
    reporter.facts(durations)
    results.keep_record({"spec": spec.model_dump(mode="json"), **record, **durations})
    return summary


def _split(labels: np.ndarray, spec: TrainSpec) -> tuple[np.ndarray, np.ndarray]:
    """Indices to train on, as many as the spec wants, and indices to validate with."""
    train_indices, val_indices = split_validation(labels, spec.validation_fraction, spec.seed)
    if spec.train_examples is not None:
        chosen = np.random.default_rng(spec.seed).permutation(len(train_indices))[: spec.train_examples]
        train_indices = train_indices[np.sort(chosen)]
    return train_indices, val_indices


def _summary(state: TrainingState, tested: Score) -> dict[str, Any]:
    """The few numbers that sum a training up; those of the validation part are of the epoch that was chosen."""
    chosen = state.history[state.best_epoch - 1]
    return {
        "test/accuracy": tested.accuracy,
        "test/loss": tested.loss,
        "val/accuracy": chosen["val/accuracy"],
        "val/loss": chosen["val/loss"],
        "epochs": state.epoch,
        "best_epoch": state.best_epoch,
    }
