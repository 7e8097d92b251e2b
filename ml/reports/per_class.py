"""Precision, recall and F1 of each class, as JSON and as a table."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

COLUMNS = ("class", "precision", "recall", "f1", "support")


def class_scores(matrix: NDArray[np.int64], classes: Sequence[str]) -> list[dict[str, Any]]:
    """One row a class: `class`, `precision`, `recall`, `f1`, `support`.

    A ratio with nothing below the line (no image of a class, or none said to be of it) is None.

    Args:
        matrix: `[classes, classes]`, true classes in rows.
        classes: their names.
    """
    return [_scores(matrix, index, name) for index, name in enumerate(classes)]


def mean_scores(rows: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    """The mean of each score over the classes that have one; all classes count the same."""
    return {name: _mean([row[name] for row in rows if row[name] is not None]) for name in COLUMNS[1:4]}


def write_per_class_json(path: Path, matrix: NDArray[np.int64], classes: Sequence[str], *, split: str) -> None:
    """Write the rows, their means, and which split they are of."""
    rows = class_scores(matrix, classes)
    content = {"split": split, "classes": rows, "mean": mean_scores(rows)}
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def write_per_class_csv(path: Path, matrix: NDArray[np.int64], classes: Sequence[str]) -> None:
    """Write the rows as CSV; what is None stays empty."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(class_scores(matrix, classes))


def ratio(above: Any, below: Any) -> float | None:
    """A share; None of nothing."""
    return float(above / below) if below else None


def _scores(matrix: NDArray[np.int64], index: int, name: str) -> dict[str, Any]:
    hits, said, support = matrix[index, index], matrix[:, index].sum(), matrix[index].sum()
    return {
        "class": name,
        "precision": ratio(hits, said),
        "recall": ratio(hits, support),
        "f1": ratio(2 * hits, said + support),
        "support": int(support),
    }


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
