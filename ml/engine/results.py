"""Writes what a training leaves behind into its folder, and hands each finished file over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from ml.engine.evaluate import log_probabilities
from ml.reporter import Reporter
from ml.reports import (
    ScalarWriter,
    confusion_matrix,
    write_confusion_json,
    write_confusion_png,
    write_heat_maps_png,
    write_history_csv,
    write_learning_curves,
    write_mistakes_png,
    write_run_json,
)

HDF5 = "application/x-hdf5"
PNG = "image/png"
JSON = "application/json"


class Results:
    """The files of one training."""

    def __init__(self, folder: Path, reporter: Reporter) -> None:
        self._folder = folder
        self._reporter = reporter

    def keep_weights(self, model: keras.Model, name: str) -> None:
        """Write `<name>.weights.h5`: parameters alone, as the model holds them now."""
        path = self._folder / f"{name}.weights.h5"
        model.save_weights(path)
        self._reporter.artifact(path, kind="weights", media_type=HDF5)

    def keep_model(self, model: keras.Model) -> None:
        """Write `model.keras`, which takes raw images of 0 to 255 and gives probabilities."""
        path = self._folder / "model.keras"
        model.save(path)
        self._reporter.artifact(path, kind="model", media_type="application/zip")

    def keep_history(
        self, history: Sequence[Mapping[str, Any]], points: Sequence[tuple[str, int, float, float]]
    ) -> None:
        """Write the table, the curves and a TensorBoard file; points are (name, step, value, seconds since 1970)."""
        table = self._folder / "history.csv"
        write_history_csv(table, history)
        self._reporter.artifact(table, kind="history", media_type="text/csv")
        curves = self._folder / "learning-curves.png"
        write_learning_curves(curves, history)
        self._reporter.artifact(curves, kind="picture", media_type=PNG)
        with ScalarWriter(self._folder / "tensorboard", started_at_s=points[0][3] if points else 0.0) as writer:
            for name, step, value, at_s in points:
                writer.write(name, value, step=step, at_s=at_s)
        self._reporter.artifact(writer.path, kind="events", media_type="application/octet-stream")

    def keep_test(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
        logits: NDArray[np.float32],
        classes: Sequence[str],
    ) -> None:
        """Write what the model gets wrong: the confusion matrix, as numbers and drawn, and the surest mistakes."""
        self.keep_confusion(confusion_matrix(labels, logits.argmax(axis=1), classes), classes)
        mistakes = self._folder / "mistakes.png"
        write_mistakes_png(mistakes, images, labels, np.exp(log_probabilities(logits)), classes)
        self._reporter.artifact(mistakes, kind="picture", media_type=PNG)

    def keep_confusion(self, matrix: NDArray[np.int64], classes: Sequence[str]) -> None:
        """Write which class was taken for which, `[true, said]`: as numbers, and drawn."""
        numbers = self._folder / "confusion-matrix.json"
        write_confusion_json(numbers, matrix, classes)
        self._reporter.artifact(numbers, kind="table", media_type=JSON)
        drawn = self._folder / "confusion-matrix.png"
        write_confusion_png(drawn, matrix, classes)
        self._reporter.artifact(drawn, kind="picture", media_type=PNG)

    def keep_table(self, path: Path) -> None:
        """Hand over a CSV file that is written already."""
        self._reporter.artifact(path, kind="table", media_type="text/csv")

    def keep_heat_maps(
        self,
        images: NDArray[np.uint8],
        probabilities: NDArray[np.float64],
        classes: Sequence[str],
        *,
        window: tuple[int, int],
        stride: tuple[int, int],
    ) -> None:
        """Draw what a convolutional network says of every place (`ml.reports.heat`)."""
        path = self._folder / "heat-maps.png"
        write_heat_maps_png(path, images, probabilities, classes, window=window, stride=stride)
        self._reporter.artifact(path, kind="picture", media_type=PNG)

    def keep_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a table of numbers or a description as JSON."""
        path = self._folder / name
        write_run_json(path, content)
        self._reporter.artifact(path, kind="table", media_type=JSON)

    def keep_record(self, record: Mapping[str, Any]) -> None:
        """Write `run.json`: all that is needed to do the same again, and what came of it."""
        path = self._folder / "run.json"
        write_run_json(path, record)
        self._reporter.artifact(path, kind="record", media_type=JSON)
