"""Which class was taken for which: the confusion matrix as numbers, as JSON and as a picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml.reports.figure import FAINT, INK, cut, picture
from ml.reports.per_class import class_scores, ratio

COUNTED_CLASSES = 20
"""Up to so many classes each cell shows its number."""
NAME_LIMIT = 18
"""Characters of a class's name beside the picture."""


def confusion_matrix(labels: ArrayLike, predictions: ArrayLike, classes: Sequence[str] | int) -> NDArray[np.int64]:
    """How many images of each true class (rows) were said to be of each class (columns), int64.

    Args:
        labels: `[n]`, the true classes, as indices.
        predictions: `[n]`, what the network said, as indices.
        classes: the names of all classes, or how many there are.
    """
    number = classes if isinstance(classes, int) else len(classes)
    cells = np.asarray(labels, np.int64) * number + np.asarray(predictions, np.int64)
    return np.bincount(cells, minlength=number * number).astype(np.int64).reshape(number, number)


def write_confusion_json(path: Path, matrix: NDArray[np.int64], classes: Sequence[str], *, split: str = "test") -> None:
    """Write the matrix with what follows from it: accuracy, and precision, recall, f1 and support of each class.

    A ratio with nothing below the line (no image of a class, or none said to be of it) is null.
    """
    content = {
        "split": split,
        "classes": list(classes),
        "rows": "true class",
        "columns": "predicted class",
        "matrix": matrix.tolist(),
        "per_class": class_scores(matrix, classes),
        "accuracy": ratio(np.trace(matrix), matrix.sum()),
    }
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def write_confusion_png(path: Path, matrix: NDArray[np.int64], classes: Sequence[str], *, of: str = "images") -> None:
    """Write the matrix as a picture: what was right in blue, mistakes in orange, each as a share of its true class.

    Mistakes are coloured by a root of their share, so that 1 % of a class can be seen beside 99 %. `of` says what was
    looked at: `test images`.
    """
    number = len(classes)
    side = float(np.clip(2.6 + 0.42 * number, 4.5, 13.0))
    with picture(path, width_inches=side, height_inches=side) as figure:
        axes = figure.subplots()
        axes.imshow(_colours(matrix), interpolation="nearest")
        _name_axes(axes, classes, side)
        if number <= COUNTED_CLASSES:
            _write_counts(axes, matrix)
        right, total = int(np.trace(matrix)), int(matrix.sum())
        share = f" ({right / total:.2%})" if total else ""
        axes.set_title(f"{right:,} of {total:,} {of} right{share}", fontsize=12, fontweight="bold", pad=12)


def _colours(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """`[classes, classes, 3]` of 0 to 1: white to blue on the diagonal, white to orange beside it."""
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    diagonal = np.eye(len(matrix), dtype=bool)
    strength = np.where(diagonal, share**2 * 0.85, share**0.4)[..., np.newaxis]
    full = np.where(diagonal[..., np.newaxis], (0.11, 0.44, 0.76), (0.91, 0.35, 0.05))
    colours: NDArray[np.float64] = 1 + strength * (full - 1)
    return colours


def _name_size(number: int) -> float:
    return 9.0 if number <= COUNTED_CLASSES else max(4.0, 9.0 * 26 / max(26, number) + 1.5)


def _name_axes(axes: Any, classes: Sequence[str], side_inches: float) -> None:
    names = [cut(name, NAME_LIMIT) for name in classes]
    size = _name_size(len(names))
    room_points = (side_inches - 1.2) * 72 / len(names)
    upright = max(map(len, names)) * size * 0.65 < room_points
    axes.set_xticks(range(len(names)), names, fontsize=size, rotation=0 if upright else 90)
    axes.set_yticks(range(len(names)), names, fontsize=size)
    axes.set_xlabel("said", fontsize=11)
    axes.set_ylabel("true", fontsize=11)
    axes.tick_params(length=0)
    edges = np.arange(len(names) + 1) - 0.5
    axes.set_xticks(edges, minor=True)
    axes.set_yticks(edges, minor=True)
    axes.grid(which="minor", color="#dee2e6", linewidth=0.8 if len(names) <= COUNTED_CLASSES else 0.2)
    axes.set_axisbelow(False)
    axes.tick_params(which="minor", length=0)
    axes.spines[:].set_visible(False)


def _write_counts(axes: Any, matrix: NDArray[np.int64]) -> None:
    size = 9 if matrix.max() < 10_000 else 7.5
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    for (row, column), count in np.ndenumerate(matrix):
        dark = share[row, column] > (0.85 if row == column else 0.6)
        colour = "white" if dark else INK if count else FAINT
        if count or row == column:
            axes.text(column, row, f"{count:,}", ha="center", va="center", color=colour, fontsize=size)
