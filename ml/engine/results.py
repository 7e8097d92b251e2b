"""Writes what a training leaves behind into its folder, and hands each finished file over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import keras
import numpy as np
from numpy.typing import NDArray

from ml.datasets.images import Part
from ml.engine.evaluate import log_probabilities
from ml.engine.gradcam import heat_maps, last_maps
from ml.networks import Network
from ml.reporter import Reporter
from ml.reports import (
    ScalarWriter,
    calibration,
    caption,
    choose_examples,
    confusion_matrix,
    write_calibration_json,
    write_calibration_png,
    write_confusion_json,
    write_confusion_png,
    write_gradcam_png,
    write_heat_maps_png,
    write_history_csv,
    write_learning_curves,
    write_mistakes_png,
    write_per_class_csv,
    write_per_class_json,
    write_run_json,
)
from ml.reports.overlap import write_overlap_csv
from ml.reports.overlays import Judged, write_overlays_png

if TYPE_CHECKING:
    from ml.predicting.splits import Split

HDF5 = "application/x-hdf5"
PNG = "image/png"
JSON = "application/json"
CSV = "text/csv"
NAMES = {"train": "training", "val": "validation", "test": "test"}
MISTAKES = 36
LEAST_HEAT_PX = 64


class Results:
    """The files of one training."""

    def __init__(self, folder: Path, reporter: Reporter) -> None:
        self._folder = folder
        self._reporter = reporter

    def keep_weights(self, model: keras.Model, name: str) -> None:
        """Write `<name>.weights.h5`: parameters alone, as the model holds them now."""
        with self._file(f"{name}.weights.h5", "weights", HDF5) as path:
            model.save_weights(path)

    def keep_model(self, model: keras.Model) -> None:
        """Write `model.keras`, which takes raw images of 0 to 255 and gives probabilities."""
        with self._file("model.keras", "model", "application/zip") as path:
            model.save(path)

    def keep_history(
        self, history: Sequence[Mapping[str, Any]], points: Sequence[tuple[str, int, float, float]]
    ) -> None:
        """Write the table, the curves and a TensorBoard file; points are (name, step, value, seconds since 1970)."""
        with self._file("history.csv", "history", CSV) as path:
            write_history_csv(path, history)
        with self._file("learning-curves.png", "picture", PNG) as path:
            write_learning_curves(path, history)
        with ScalarWriter(self._folder / "tensorboard", started_at_s=points[0][3] if points else 0.0) as writer:
            for name, step, value, at_s in points:
                writer.write(name, value, step=step, at_s=at_s)
        self._reporter.artifact(writer.path, kind="events", media_type="application/octet-stream")

    def keep_answers(
        self,
        part: Part | Split,
        logits: NDArray[np.floating[Any]],
        classes: Sequence[str],
        *,
        split: Literal["train", "val", "test"],
        mistakes: int = MISTAKES,
    ) -> None:
        """Write what the model gets right and wrong, and how sure it is.

        The confusion matrix, as numbers and drawn; precision, recall and F1 of each class; calibration; and the surest
        mistakes.

        Args:
            part: images with their labels.
            logits: `[n, classes]`, what the model said of them.
            classes: their names.
            split: which the images are of.
            mistakes: at most so many on the sheet.
        """
        of, probabilities = f"{NAMES[split]} images", np.exp(log_probabilities(logits))
        matrix = confusion_matrix(part.labels, logits.argmax(axis=1), classes)
        with self._file("confusion-matrix.json", "table", JSON) as path:
            write_confusion_json(path, matrix, classes, split=split)
        with self._file("confusion-matrix.png", "picture", PNG) as path:
            write_confusion_png(path, matrix, classes, of=of)
        with self._file("per-class.json", "table", JSON) as path:
            write_per_class_json(path, matrix, classes, split=split)
        with self._file("per-class.csv", "table", CSV) as path:
            write_per_class_csv(path, matrix, classes)
        found = calibration(part.labels, probabilities)
        with self._file("calibration.json", "table", JSON) as path:
            write_calibration_json(path, found, split=split)
        with self._file("calibration.png", "picture", PNG) as path:
            write_calibration_png(path, found, of=f"{len(part):,} {of}")
        with self._file("mistakes.png", "picture", PNG) as path:
            write_mistakes_png(path, part, part.labels, probabilities, classes, mistakes, of=of)

    def keep_gradcam(
        self,
        model: keras.Model,
        network: Network,
        part: Part,
        logits: NDArray[np.float32],
        classes: Sequence[str],
    ) -> None:
        """Write what of an image spoke for its class (Grad-CAM), for right and wrong examples.

        Where the network knows no places, or its images are smaller than `LEAST_HEAT_PX` a side, it writes nothing: a
        heat map over a few pixels tells nobody anything.
        """
        layer = last_maps(network)
        if layer is None or min(network.input_shape[:2]) < LEAST_HEAT_PX:
            return
        probabilities = np.exp(log_probabilities(logits))
        right, wrong = choose_examples(part.labels, probabilities)
        rows = [
            ("Right, and where it looked", self._examples(model, layer, part, right, probabilities, classes)),
            ("Wrong, and where it looked", self._examples(model, layer, part, wrong, probabilities, classes)),
        ]
        with self._file("grad-cam.png", "picture", PNG) as path:
            write_gradcam_png(path, rows)

    def _examples(
        self,
        model: keras.Model,
        layer: str,
        part: Part,
        places: NDArray[np.int64],
        probabilities: NDArray[np.float64],
        classes: Sequence[str],
    ) -> list[tuple[NDArray[np.uint8], NDArray[np.float32], str]]:
        images, said = part[places], probabilities[places]
        captions = [
            caption(classes[label], classes[given.argmax()], given.max())
            for label, given in zip(part.labels[places], said, strict=True)
        ]
        return list(zip(images, heat_maps(model, layer, images), captions, strict=True))

    def keep_confusion(self, matrix: NDArray[np.int64], classes: Sequence[str], *, of: str = "images") -> None:
        """Write which class was taken for which, `[true, said]`: as numbers, and drawn."""
        with self._file("confusion-matrix.json", "table", JSON) as path:
            write_confusion_json(path, matrix, classes)
        with self._file("confusion-matrix.png", "picture", PNG) as path:
            write_confusion_png(path, matrix, classes, of=of)

    def keep_table(self, path: Path) -> None:
        """Hand over a CSV file that is written already."""
        self._reporter.artifact(path, kind="table", media_type=CSV)

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
        with self._file("heat-maps.png", "picture", PNG) as path:
            write_heat_maps_png(path, images, probabilities, classes, window=window, stride=stride)

    def keep_overlap(self, rows: Sequence[dict[str, Any]], *, split: Literal["test", "val"]) -> None:
        """Write how well each class of pixels was told: a row a class (`ml.reports.overlap`)."""
        with self._file("per-class.json", "table", JSON) as path:
            write_run_json(path, {"split": split, "classes": list(rows)})
        with self._file("per-class.csv", "table", CSV) as path:
            write_overlap_csv(path, rows)

    def keep_overlays(self, name: str, judged: Sequence[Judged], classes: Sequence[str]) -> None:
        """Draw pictures with their masks and what was said of them."""
        with self._file(name, "picture", PNG) as path:
            write_overlays_png(path, judged, classes)

    def keep_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a table of numbers or a description as JSON."""
        with self._file(name, "table", JSON) as path:
            write_run_json(path, content)

    def keep_record(self, record: Mapping[str, Any]) -> None:
        """Write `run.json`: all that is needed to do the same again, and what came of it."""
        with self._file("run.json", "record", JSON) as path:
            write_run_json(path, record)

    @contextmanager
    def _file(self, name: str, kind: str, media_type: str) -> Iterator[Path]:
        """A file that is written in the block and then handed over."""
        path = self._folder / name
        yield path
        self._reporter.artifact(path, kind=kind, media_type=media_type)
