"""The epochs of a training: chunks of steps, what they report, and what is decided when an epoch ends."""

from __future__ import annotations

import math
import time

import keras
import numpy as np

from ml.engine.evaluate import Score
from ml.engine.keeper import CheckpointKeeper
from ml.engine.pace import Pace
from ml.engine.points import batch_counts, due_windows, steps_per_point
from ml.engine.schedules import schedule_factors
from ml.engine.state import TrainingState
from ml.engine.steps import TrainingImages, TrainingSteps
from ml.reporter import Reporter
from records.errors import Diverged
from records.specs import TrainSpec
from records.specs.train import EarlyStopping, Plateau

ADVICE = (
    "Choose a smaller learning_rate, a schedule with warm-up, or check that the labels belong to the images; "
    "the curves up to here are kept."
)


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
