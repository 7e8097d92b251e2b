"""The epochs of a training: chunks of steps, what they report, and what is decided when an epoch ends."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from ml.engine.keeper import CheckpointKeeper
from ml.engine.pace import Pace
from ml.engine.points import batch_counts, due_windows, steps_per_point
from ml.engine.schedules import schedule_factors
from ml.engine.state import TrainingState
from ml.engine.steps import TrainingSteps
from ml.reporter import Reporter
from records.errors import Diverged
from records.specs import SegmentSpec, TrainSpec
from records.specs.train import EarlyStopping, Plateau, Schedule

ADVICE = (
    "Choose a smaller learning_rate, a schedule with warm-up, or check that the labels belong to the images; "
    "the curves up to here are kept."
)


class Seen(Protocol):
    """What a training sees: images, or crops of them, in batches."""

    count: int
    """In an epoch."""
    batch_size: int
    steps_per_epoch: int

    def batches(self, epoch: int, first: int) -> tf.data.Iterator:
        """Those of an epoch, from number `first` on."""
        ...


class Scored(Protocol):
    """How good a model is on one part of a dataset."""

    @property
    def loss(self) -> float: ...

    @property
    def named(self) -> dict[str, float]:
        """By the names that the metrics of a split have; `loss` among them."""
        ...


@dataclass(frozen=True)
class Course:
    """Epochs that follow one schedule: all of a training, or one stage of it."""

    epochs: int
    learning_rate: float
    schedule: Schedule
    early_stopping: EarlyStopping | None = None
    """Ends the course."""
    chosen_by: str = "val/loss"
    """The metric whose best epoch gives the weights that are kept."""
    before: int = 0
    """Epochs of the courses before this one."""
    after: int = 0
    """Epochs of those behind it."""

    @classmethod
    def of(cls, spec: TrainSpec | SegmentSpec, *, chosen_by: str = "val/loss") -> Course:
        """All of a training in one; `chosen_by` where the spec has no rule that says it."""
        rule = spec.early_stopping
        chosen_by = rule.metric if rule else chosen_by
        return cls(spec.epochs, spec.learning_rate, spec.schedule, early_stopping=rule, chosen_by=chosen_by)

    @property
    def end(self) -> int:
        """The number of the epoch after the last, counted over all courses."""
        return self.before + self.epochs

    @property
    def all_epochs(self) -> int:
        """Of all courses."""
        return self.end + self.after


class Training:
    """Moves a `TrainingState` through the epochs of a course."""

    def __init__(
        self,
        course: Course,
        images: Seen,
        steps: TrainingSteps,
        keeper: CheckpointKeeper,
        reporter: Reporter,
    ) -> None:
        self._course = course
        self._images = images
        self._steps = steps
        self._keeper = keeper
        self._reporter = reporter
        self._pace = Pace(time.perf_counter)
        self._per_epoch = images.steps_per_epoch
        self._factors = schedule_factors(course.schedule, course.epochs * self._per_epoch, self._per_epoch)
        self._counts = batch_counts(images.count, images.batch_size)
        self._first = True

    def is_under_way(self, state: TrainingState) -> bool:
        """Whether the course has an epoch to do."""
        return state.epoch < self._course.end and not state.ended_early

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

    def end_epoch(self, state: TrainingState, val: Scored, model: keras.Model) -> None:
        """Take the validation score in: history, best weights, plateau, early stopping; then begin the next epoch."""
        if not math.isfinite(val.loss):
            raise Diverged(f"The validation loss of epoch {state.epoch + 1} is {val.loss}. {ADVICE}")
        row = {
            "train/loss": float(np.average(state.losses, weights=self._counts)),
            "train/accuracy": float(state.right.sum() / self._images.count),
            **_of("val", val),
            "learning_rate": float(self._epoch_rates(state)[-1]),
        }
        speed = self._pace.images_per_s(self._images.batch_size)
        self.add_points(state, {**_of("val", val), "images_per_s": speed})
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

    def sum_up(self, state: TrainingState, split: str, last: Scored) -> dict[str, Any]:
        """The few numbers that sum a training up; those of the validation part are of the epoch that was chosen.

        Args:
            state: at the end.
            split: `test`, or `val` where there are no images to test with: then the last score says nothing new.
            last: of the chosen weights, on that split.
        """
        chosen = state.history[state.best_epoch - 1]
        tested = {} if split == "val" else _of(split, last)
        self.add_points(state, dict(tested))
        return {
            **tested,
            **{name: chosen[name] for name in _of("val", last)},
            "epochs": state.epoch,
            "best_epoch": state.best_epoch,
        }

    def _epoch_rates(self, state: TrainingState) -> np.ndarray:
        """The learning rate of each step of the epoch under way, float32 `[steps_per_epoch]`."""
        first = (state.epoch - self._course.before) * self._per_epoch
        factors = self._factors[first : first + self._per_epoch]
        return (self._course.learning_rate * state.rate_factor * factors).astype(np.float32)

    def _check_finite(self, losses: np.ndarray, state: TrainingState) -> None:
        broken = np.flatnonzero(~np.isfinite(losses))
        if len(broken):
            step = state.step + int(broken[0]) + 1
            raise Diverged(f"The training loss became {losses[broken[0]]} at step {step}. {ADVICE}")

    def _report(self, state: TrainingState, count: int, rates: np.ndarray) -> None:
        if self._first:
            self._first = False
            self._reporter.first_step()
        epochs = self._course.all_epochs
        width = steps_per_point(self._per_epoch, epochs)
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
        remaining = epochs * self._per_epoch - state.step
        self._reporter.progress(
            step=state.step,
            steps=epochs * self._per_epoch,
            epoch=state.epoch + 1,
            epochs=epochs,
            images_per_s=self._pace.images_per_s(self._images.batch_size),
            # A later course has another pace, of which nothing is known yet.
            time_left_s=None if self._course.after else self._pace.time_left_s(remaining),
            values={
                "train/loss": float(state.losses[-width:].mean()),
                "train/accuracy": float(state.right[-width:].sum() / self._counts[: state.position][-width:].sum()),
                "learning_rate": float(rates[state.position - 1]),
            },
        )

    def _choose_best(self, state: TrainingState, row: dict[str, float], model: keras.Model) -> None:
        metric = self._course.chosen_by
        state.chosen = state.chosen.after(row[metric], metric=metric, min_delta=0.0)
        if state.chosen.waited == 0:
            state.best_epoch = state.epoch
            state.best_weights = [weight.numpy() for weight in model.weights]

    def _watch_plateau(self, state: TrainingState, row: dict[str, float]) -> None:
        schedule = self._course.schedule
        if not isinstance(schedule, Plateau):
            return
        state.plateau = state.plateau.after(row[schedule.metric], metric=schedule.metric, min_delta=schedule.min_delta)
        if state.plateau.waited >= schedule.patience:
            state.rate_factor = max(state.rate_factor * schedule.factor, schedule.minimum_fraction)
            state.plateau = type(state.plateau)(best=state.plateau.best)

    def _watch_early_stopping(self, state: TrainingState, row: dict[str, float]) -> None:
        rule = self._course.early_stopping
        if rule is None:
            return
        state.stopping = state.stopping.after(row[rule.metric], metric=rule.metric, min_delta=rule.min_delta)
        state.ended_early = state.stopping.waited >= rule.patience


def _of(split: str, score: Scored) -> dict[str, float]:
    return {f"{split}/{name}": value for name, value in score.named.items()}
