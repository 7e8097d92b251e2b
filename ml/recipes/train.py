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

import math
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
from ml.engine.pace import Pace
from ml.engine.points import batch_counts, due_windows, steps_per_point
from ml.engine.results import Results
from ml.engine.schedules import schedule_factors
from ml.engine.state import TrainingState
from ml.engine.steps import TrainingImages, TrainingSteps
from ml.engine.stopwatch import Stages
from ml.networks import draw_network
from ml.reporter import Reporter
from records.errors import Diverged
from records.orders import Order
from records.specs import TrainSpec
from records.specs.train import EarlyStopping, Plateau


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
    evaluation = Evaluation(model, batch_size=max(2 * spec.batch_size, 32))
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
    chosen_row = state.history[state.best_epoch - 1]
    summary = {
        "test/accuracy": tested.accuracy,
        "test/loss": tested.loss,
        "val/accuracy": chosen_row["val/accuracy"],
        "val/loss": chosen_row["val/loss"],
        "epochs": state.epoch,
        "best_epoch": state.best_epoch,
    }
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


class Training:
    """Moves a `TrainingState` through its epochs."""

    def __init__(
        self,
        spec: TrainSpec,
        images: TrainingImages,
        steps: TrainingSteps,
        keeper: CheckpointKeeper,
        reporter: Reporter,
    ) -> None:
        self._spec = spec
        self._images = images
        self._steps = steps
        self._keeper = keeper
        self._reporter = reporter
        self._pace = Pace(time.perf_counter)
        self._per_epoch = images.steps_per_epoch
        self._factors = schedule_factors(spec.schedule, spec.epochs * self._per_epoch, self._per_epoch)
        self._counts = batch_counts(images.count, images.batch_size)
        self._first = True

    def run_epoch(self, state: TrainingState) -> None:
        """Do the optimizer steps of an epoch that are still to do, chunk by chunk.

        Between chunks, four or so a second, it is seen whether the loss is finite, what there is to report, whether a
        checkpoint is due and whether to stop.
        """
        self._keeper.stop_if_asked(state)
        if state.position == self._per_epoch:
            return
        batches = self._images.batches(state.epoch, state.position)
        rates = self._epoch_rates(state)
        while state.position < self._per_epoch:
            count = self._pace.begin_chunk(self._per_epoch - state.position)
            started = time.perf_counter()
            losses, right = self._steps.run(batches, rates, first=state.position, count=count)
            self._pace.end_chunk(count)
            state.train_s += time.perf_counter() - started
            self._check_finite(losses, state)
            state.losses, state.right = np.append(state.losses, losses), np.append(state.right, right)
            state.position, state.step = state.position + count, state.step + count
            self._report(state, count, rates)
            self._keeper.stop_if_asked(state)
            self._keeper.save_if_due(state)

    def end_epoch(self, state: TrainingState, val: Score, model: keras.Model) -> None:
        """Take the validation score in: history, best weights, plateau, early stopping; then begin the next epoch."""
        if not math.isfinite(val.loss):
            raise Diverged(f"The validation loss of epoch {state.epoch + 1} is {val.loss}. {ADVICE}")
        row = {
            "train/loss": float(np.average(state.losses, weights=self._counts)),
            "train/accuracy": float(state.right.sum() / self._images.count),
            "val/loss": val.loss,
            "val/accuracy": val.accuracy,
            "learning_rate": float(self._epoch_rates(state)[-1]),
        }
        speed = self._pace.images_per_s(self._images.batch_size)
        self.add_points(state, {"val/loss": val.loss, "val/accuracy": val.accuracy, "images_per_s": speed})
        state.epoch, state.position = state.epoch + 1, 0
        state.losses, state.right = state.losses[:0], state.right[:0]
        state.history.append({"epoch": state.epoch, **row})
        self._choose_best(state, row, model)
        self._watch_plateau(state, row)
        self._watch_early_stopping(state, row)

    def add_points(self, state: TrainingState, values: dict[str, float | None]) -> None:
        """Report metrics at the present step, and remember them for the curves."""
        known = [(name, state.step, value) for name, value in values.items() if value is not None]
        self._reporter.metrics(known)
        state.points += [(*point, time.time()) for point in known]

    def _epoch_rates(self, state: TrainingState) -> np.ndarray:
        """The learning rate of each step of the epoch under way, float32 `[steps_per_epoch]`."""
        first = state.epoch * self._per_epoch
        factors = self._factors[first : first + self._per_epoch]
        return (self._spec.learning_rate * state.rate_factor * factors).astype(np.float32)

    def _check_finite(self, losses: np.ndarray, state: TrainingState) -> None:
        broken = np.flatnonzero(~np.isfinite(losses))
        if len(broken):
            step = state.step + int(broken[0]) + 1
            raise Diverged(f"The training loss became {losses[broken[0]]} at step {step}. {ADVICE}")

    def _report(self, state: TrainingState, count: int, rates: np.ndarray) -> None:
        if self._first:
            self._first = False
            self._reporter.first_step()
        width = steps_per_point(self._per_epoch, self._spec.epochs)
        made = []
        for first, end in due_windows(state.position - count, state.position, width=width, last=self._per_epoch):
            step = state.step - state.position + end
            images = self._counts[first:end]
            made += [
                ("train/loss", step, float(np.average(state.losses[first:end], weights=images))),
                ("train/accuracy", step, float(state.right[first:end].sum() / images.sum())),
                ("learning_rate", step, float(rates[end - 1])),
            ]
        self._reporter.metrics(made)
        state.points += [(*point, time.time()) for point in made]
        remaining = self._spec.epochs * self._per_epoch - state.step
        self._reporter.progress(
            step=state.step,
            steps=self._spec.epochs * self._per_epoch,
            epoch=state.epoch + 1,
            epochs=self._spec.epochs,
            images_per_s=self._pace.images_per_s(self._images.batch_size),
            time_left_s=self._pace.time_left_s(remaining),
            values={
                "train/loss": float(state.losses[-width:].mean()),
                "train/accuracy": float(state.right[-width:].sum() / self._counts[: state.position][-width:].sum()),
                "learning_rate": float(rates[state.position - 1]),
            },
        )

    def _choose_best(self, state: TrainingState, row: dict[str, float], model: keras.Model) -> None:
        metric = self._spec.early_stopping.metric if self._spec.early_stopping else "val/loss"
        state.chosen = state.chosen.after(row[metric], metric=metric, min_delta=0.0)
        if state.chosen.waited == 0:
            state.best_epoch = state.epoch
            state.best_weights = [weight.numpy() for weight in model.weights]

    def _watch_plateau(self, state: TrainingState, row: dict[str, float]) -> None:
        schedule = self._spec.schedule
        if not isinstance(schedule, Plateau):
            return
        state.plateau = state.plateau.after(row[schedule.metric], metric=schedule.metric, min_delta=schedule.min_delta)
        if state.plateau.waited >= schedule.patience:
            state.rate_factor = max(state.rate_factor * schedule.factor, schedule.minimum_fraction)
            state.plateau = type(state.plateau)(best=state.plateau.best)

    def _watch_early_stopping(self, state: TrainingState, row: dict[str, float]) -> None:
        rule: EarlyStopping | None = self._spec.early_stopping
        if rule is None:
            return
        state.stopping = state.stopping.after(row[rule.metric], metric=rule.metric, min_delta=rule.min_delta)
        state.ended_early = state.stopping.waited >= rule.patience


ADVICE = (
    "Choose a smaller learning_rate, a schedule with warm-up, or check that the labels belong to the images; "
    "the curves up to here are kept."
)
