"""The recipe of `kind: evaluate`: how often trained models are right, each by itself and in a vote.

    trainyard evaluate 12 13 14 --split test
    expect `accuracies.csv`: for each run and for their vote the accuracy with Wilson's interval at 95 %

The vote is the mean of the probabilities, by the weights of the spec (An et al. 2020 count hard votes; a mean also
hears how sure each is). With test-time augmentation each image is shown several more times, changed at random, and the
probabilities of all its views are averaged first (Krizhevsky, Sutskever, Hinton 2012, with crops); every view is
counted beside the plain image, so that what it brings can be read off. All runs see the same views.

A stopped job begins anew: evaluating writes no checkpoint.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ml.datasets import is_photo_folder, list_photos, load_images
from ml.engine.augment import augment
from ml.engine.identity import describe_surroundings
from ml.engine.memory import MemoryWatch
from ml.engine.results import Results
from ml.engine.stopwatch import Stages
from ml.inspections.evaluate import roles_of
from ml.predicting.classifier import load_classifier
from ml.predicting.scores import accuracy_of
from ml.predicting.splits import Split, read_splits
from ml.reporter import Interruption, Reporter
from ml.reports import PredictionsCsv, write_accuracies_csv
from ml.run_record import read_record
from records.errors import DatasetUnsuitable
from records.orders import Order
from records.specs import EvaluateSpec
from records.specs.evaluate import Views

Told = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Probabilities `[n, classes]` of the images as they are, and as the mean over all views."""

CSV = "predictions.csv"
ACCURACIES = "accuracies.csv"
MOST_MISTAKES = 120
VOTE = "vote"


def evaluate(spec: EvaluateSpec, order: Order, reporter: Reporter) -> dict[str, Any]:
    """Ask every run, let them vote, score all, and keep the answers of the vote in `order.folder`.

    Args:
        spec: whom to ask, about what.
        order: `inputs["dataset"]` is the folder of the dataset's files; for each run its record and weights lie under
            the roles of `ml.inspections.evaluate.roles_of`.
        reporter: hears of all that happens.

    Returns:
        `images`, and behind the split's name `accuracy`, `accuracy_low`, `accuracy_high` of the vote, or of the only
        run; with test-time augmentation also `plain_accuracy`: theirs without it.

    Raises:
        Interruption: stopped as asked.
        DatasetUnreadable, DatasetUnsuitable, ModelUnreadable, DiskFull: as in `records.errors`.
    """
    stages = Stages(reporter, time.perf_counter)
    stages.begin("loading")
    memory = MemoryWatch()
    folder, files = order.inputs["dataset"], [[order.inputs[role] for role in roles_of(run)] for run in spec.runs]
    trained = read_record(files[0][0])
    name = spec.dataset or trained.spec.dataset
    data = list_photos(folder) if is_photo_folder(folder) else load_images(name, folder)

    stages.begin("predicting")
    watch, told, split = _Watch(reporter, spec), [], None
    for run, (record, weights) in zip(spec.runs, files, strict=True):
        classifier = load_classifier(record, weights)
        if classifier.classes != data.classes:
            raise DatasetUnsuitable(f"Expected the classes of job {run.job} in {name}, got others.")
        (seen,) = read_splits(data, spec.split, classifier, threads=order.device.threads, aside=trained.spec)
        told.append(_ask(classifier.probabilities, seen, spec, watch))
        split = split or seen  # what is shown of the images is as the first run saw them
    record = describe_surroundings(order) | {"images": {split.name: len(split)}, "classes": data.classes}
    reporter.facts(record)

    stages.begin("reporting")
    results, vote = Results(order.folder, reporter), _vote(told, spec.shares)
    rows = list(_score_all(spec, told, vote, split))
    write_accuracies_csv(order.folder / ACCURACIES, rows)
    results.keep_table(order.folder / ACCURACIES)
    _write_predictions(order, split, data.classes, vote[1])
    results.keep_table(order.folder / CSV)
    with np.errstate(divide="ignore"):
        logits = np.log(vote[1])
    results.keep_answers(split, logits, data.classes, split=split.name, mistakes=MOST_MISTAKES)
    summary = _sum_up(spec, split, vote)
    durations = {"durations_s": stages.seconds, "metrics": summary, "accuracies": rows, **memory.facts()}
    reporter.facts(durations)
    results.keep_record({"spec": spec.model_dump(mode="json"), **record, **durations})
    return summary


class _Watch:
    """Counts the images that were told, and sees whether to stop."""

    def __init__(self, reporter: Reporter, spec: EvaluateSpec) -> None:
        self._reporter = reporter
        self._rounds = len(spec.runs) * (1 + (spec.test_time_augmentation.count if spec.test_time_augmentation else 0))
        self._done, self._began = 0, time.perf_counter()

    def look_up(self) -> None:
        """Raises Interruption where it is time to stop."""
        if self._reporter.should_stop:
            raise Interruption(0)

    def count(self, told: int, *, of: int) -> None:
        """So many more images were told, of so many in a round."""
        if not self._done:
            self._reporter.first_step()
        self._done += told
        steps, pace = of * self._rounds, self._done / (time.perf_counter() - self._began)
        self._reporter.progress(
            step=self._done,
            steps=steps,
            epoch=1,
            epochs=1,
            images_per_s=pace,
            time_left_s=(steps - self._done) / pace,
        )


def _ask(probabilities: Callable[..., NDArray[np.float32]], split: Split, spec: EvaluateSpec, watch: _Watch) -> Told:
    """What one model says of every image."""
    plain, mean = [], []
    for first in range(0, len(split), spec.batch_size):
        images, looks = split.batch(first, spec.batch_size), []
        for view in _views(images, spec.test_time_augmentation, first=first):
            watch.look_up()
            looks.append(probabilities(view, batch_size=spec.batch_size).astype(np.float64))
            watch.count(len(view), of=len(split))
        plain.append(looks[0])
        mean.append(np.mean(looks, axis=0))
    return np.concatenate(plain), np.concatenate(mean)


def _views(images: NDArray[np.uint8], spec: Views | None, *, first: int) -> Iterator[NDArray[np.uint8]]:
    """The images themselves, then each changed view; draws follow from the seed, the view and the first's number."""
    yield images
    for number in range(1, 1 + (spec.count if spec else 0)):
        changed = augment(
            tf.constant(images), spec.augmentation, tf.constant([spec.seed + (number << 32), first], tf.int64)
        )
        yield tf.cast(tf.round(tf.clip_by_value(changed, 0.0, 255.0)), tf.uint8).numpy()


def _vote(told: Sequence[Told], shares: Sequence[float]) -> Told:
    plain, mean = (np.tensordot(shares, np.stack(each), axes=1) for each in zip(*told, strict=True))
    return plain, mean


def _score_all(spec: EvaluateSpec, told: Sequence[Told], vote: Told, split: Split) -> Iterator[dict[str, Any]]:
    """A row for each run, and for the vote of several: without test-time augmentation, and with it."""
    named = [(f"job {run.job} ({run.weights})", each) for run, each in zip(spec.runs, told, strict=True)]
    if len(told) > 1:
        named.append((VOTE, vote))
    for who, (plain, mean) in named:
        asked = [(0, plain)]
        if spec.test_time_augmentation is not None:
            asked.append((spec.test_time_augmentation.count, mean))
        for views, said in asked:
            right = int((said.argmax(axis=1) == split.labels).sum())
            counts = {"images": len(split), "right": right, "wrong": len(split) - right}
            yield {"who": who, "split": split.name, "views": views, **counts, **accuracy_of(right, len(split))}


def _sum_up(spec: EvaluateSpec, split: Split, vote: Told) -> dict[str, Any]:
    plain, right = (int((said.argmax(axis=1) == split.labels).sum()) for said in vote)
    summary = {"images": len(split), **accuracy_of(right, len(split), f"{split.name}/")}
    if spec.test_time_augmentation is not None:
        summary[f"{split.name}/plain_accuracy"] = plain / len(split)
    return summary


def _write_predictions(order: Order, split: Split, classes: Sequence[str], told: NDArray[np.float64]) -> None:
    with PredictionsCsv(order.folder / CSV, classes) as table:
        table.write(split.name, 0, [classes[label] for label in split.labels], told, names=split.names)
