"""The recipe of `kind: predict`: a trained model tells the classes of a dataset's images.

    trainyard predict 1 --dataset mnist --split test
    expect `predictions.csv`, and the accuracy that the training of job 1 found on the same images

Images of another size or other colours than the model's are brought to its own, as those of a single question are.
Where the dataset has the model's classes, what it said is scored, with Wilson's interval at 95 %.

A stopped job begins anew: predicting writes no checkpoint.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.datasets import is_photo_folder, list_photos, load_images
from ml.engine.identity import describe_surroundings
from ml.engine.memory import MemoryWatch
from ml.engine.results import Results
from ml.engine.stopwatch import Stages
from ml.predicting.classifier import Classifier, load_classifier
from ml.predicting.scores import accuracy_of
from ml.predicting.splits import Split, read_splits
from ml.reporter import Interruption, Reporter
from ml.reports import PredictionsCsv, confusion_matrix
from records.orders import Order
from records.specs import PredictSpec


def predict(spec: PredictSpec, order: Order, reporter: Reporter) -> dict[str, Any]:
    """Predict, score where there is something to score by, and keep both in `order.folder`.

    Args:
        spec: what to predict with what.
        order: `inputs["dataset"]` is the folder of the dataset's files, `inputs["run"]` and `inputs["weights"]` are
            the files of the model.
        reporter: hears of all that happens.

    Returns:
        `images`, and where the classes are the model's `accuracy`, `accuracy_low` and `accuracy_high` (of one split
        `test/accuracy` and so on).

    Raises:
        Interruption: stopped as asked.
        DatasetUnreadable, ModelUnreadable, DiskFull: as in `records.errors`.
    """
    stages = Stages(reporter, time.perf_counter)
    stages.begin("loading")
    memory = MemoryWatch()
    folder = order.inputs["dataset"]
    data = list_photos(folder) if is_photo_folder(folder) else load_images(spec.dataset, folder)

    stages.begin("building")
    classifier = load_classifier(order.inputs["run"], order.inputs["weights"])
    parts = list(read_splits(data, spec.split, classifier, threads=order.device.threads))
    record = describe_surroundings(order) | {"images": {part.name: len(part) for part in parts}}
    reporter.facts(record)

    stages.begin("predicting")
    said = _predict(spec, parts, classifier, data.classes, folder=order.folder, reporter=reporter)

    stages.begin("reporting")
    results = Results(order.folder, reporter)
    results.keep_table(order.folder / CSV)
    summary: dict[str, Any] = {"images": len(said)}
    if data.classes == classifier.classes:
        labels = np.concatenate([part.labels for part in parts])
        results.keep_confusion(confusion_matrix(labels, said, data.classes), data.classes)
        prefix = "" if spec.split == "all" else f"{spec.split}/"
        summary |= accuracy_of(int((said == labels).sum()), len(labels), prefix)
    else:
        text = f"Not scored: {spec.dataset} has other classes than the model of job {spec.run.job}."
        reporter.log(text, level="warning")
    durations = {"durations_s": stages.seconds, "metrics": summary, **memory.facts()}
    reporter.facts(durations)
    results.keep_record({"spec": spec.model_dump(mode="json"), **record, **durations})
    return summary


CSV = "predictions.csv"


def _predict(
    spec: PredictSpec,
    parts: list[Split],
    classifier: Classifier,
    names: tuple[str, ...],
    *,
    folder: Path,
    reporter: Reporter,
) -> NDArray[np.int64]:
    """Write the table; the likeliest class of each image, as an index into the model's classes."""
    images, done, began = sum(map(len, parts)), 0, time.perf_counter()
    said = np.empty(images, np.int64)
    with PredictionsCsv(folder / CSV, classifier.classes) as table:
        for part in parts:
            for first in range(0, len(part), spec.batch_size):
                if reporter.should_stop:
                    raise Interruption(0)
                told = classifier.probabilities(part.batch(first, spec.batch_size), batch_size=spec.batch_size)
                labels = [names[label] for label in part.labels[first : first + spec.batch_size]]
                table.write(part.name, first, labels, told, names=part.names[first : first + spec.batch_size])
                said[done : done + len(told)] = told.argmax(axis=1)
                if not done:
                    reporter.first_step()
                done += len(told)
                _tell(reporter, done, images, time.perf_counter() - began)
    return said


def _tell(reporter: Reporter, done: int, images: int, seconds: float) -> None:
    pace = done / seconds
    reporter.progress(step=done, steps=images, epoch=1, epochs=1, images_per_s=pace, time_left_s=(images - done) / pace)
