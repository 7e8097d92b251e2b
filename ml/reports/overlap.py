"""How well masks overlap, from one confusion matrix of all pixels of a dataset; and how well their borders do."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from records.intake import IGNORED_CLASS


def pixel_matrix(mask: NDArray[np.uint8], said: NDArray[np.uint8], classes: int) -> NDArray[np.int64]:
    """Pixels of each true class (rows) that were said to be of each class (columns); those of no class are left out."""
    labelled = mask != IGNORED_CLASS
    cells = mask[labelled].astype(np.int64) * classes + said[labelled]
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def class_ious(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """Intersection over union of each class; NaN for one that neither is nor is said to be anywhere."""
    hits = np.diag(matrix)
    return _ratio(hits, matrix.sum(axis=0) + matrix.sum(axis=1) - hits)


def class_dice(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """Twice the intersection over the sum of both; NaN likewise."""
    return _ratio(2 * np.diag(matrix), matrix.sum(axis=0) + matrix.sum(axis=1))


def pixel_accuracy(matrix: NDArray[np.int64]) -> float:
    """Share of the pixels that are right; NaN where there are none."""
    return float(_ratio(np.trace(matrix), matrix.sum()))


def mean_of(values: NDArray[np.float64]) -> float:
    """The mean over the classes that have a value; NaN where none has."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


# ── borders ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class BorderCounts:
    """Border pixels of each class over a whole dataset, and how many of them lie near one of the other side.

    Csurka, Larlus, Perronnin: What is a good evaluation measure for semantic segmentation? (2013). They average over
    images; here the counts of all images are added up first, as those of the confusion matrix are.
    """

    classes: int
    tolerance_px: int
    said: NDArray[np.int64] = field(init=False)
    said_right: NDArray[np.int64] = field(init=False)
    true: NDArray[np.int64] = field(init=False)
    true_found: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.said, self.said_right, self.true, self.true_found = np.zeros((4, self.classes), np.int64)

    def add(self, mask: NDArray[np.uint8], said: NDArray[np.uint8]) -> None:
        """Count one image; where the mask is of no class, both sides count as being of none."""
        seen = np.where(mask == IGNORED_CLASS, IGNORED_CLASS, said)
        for index in range(self.classes):
            true, found = border(mask, index), border(seen, index)
            self.true[index] += true.sum()
            self.said[index] += found.sum()
            if true.any() and found.any():
                self.said_right[index] += (found & widened(true, self.tolerance_px)).sum()
                self.true_found[index] += (true & widened(found, self.tolerance_px)).sum()

    @property
    def f1(self) -> NDArray[np.float64]:
        """Of each class: the harmonic mean of precision and recall of its border; NaN where neither side has one."""
        precision, recall = _ratio(self.said_right, self.said), _ratio(self.true_found, self.true)
        precision, recall = np.nan_to_num(precision), np.nan_to_num(recall)
        f1 = np.nan_to_num(_ratio(2 * precision * recall, precision + recall))
        return np.where((self.said == 0) & (self.true == 0), np.nan, f1)


def border(mask: NDArray[np.uint8], index: int) -> NDArray[np.bool_]:
    """Pixels of a class beside, above or below which another class begins; the image's edge is no border."""
    inside = mask == index
    other = ~inside & (mask != IGNORED_CLASS)
    near = np.zeros_like(inside)
    near[1:] |= other[:-1]
    near[:-1] |= other[1:]
    near[:, 1:] |= other[:, :-1]
    near[:, :-1] |= other[:, 1:]
    return inside & near


def widened(true: NDArray[np.bool_], radius_px: int) -> NDArray[np.bool_]:
    """Pixels that are at most so far from one that is true."""
    height, width = true.shape
    around = np.pad(true, radius_px)
    near = np.zeros_like(true)
    for down in range(-radius_px, radius_px + 1):
        for right in range(-radius_px, radius_px + 1):
            if down * down + right * right <= radius_px * radius_px:
                top, left = radius_px + down, radius_px + right
                near |= around[top : top + height, left : left + width]
    return near


# ── tables ───────────────────────────────────────────────────────────────────────────────────────────────────

COLUMNS = ("class", "iou", "dice", "precision", "recall", "boundary_f1", "pixels")


def overlap_rows(matrix: NDArray[np.int64], borders: BorderCounts, classes: Sequence[str]) -> list[dict[str, Any]]:
    """One row a class; what has nothing below the line is None."""
    hits = np.diag(matrix)
    values = {
        "iou": class_ious(matrix),
        "dice": class_dice(matrix),
        "precision": _ratio(hits, matrix.sum(axis=0)),
        "recall": _ratio(hits, matrix.sum(axis=1)),
        "boundary_f1": borders.f1,
    }
    return [
        {
            "class": name,
            **{column: _plain(numbers[index]) for column, numbers in values.items()},
            "pixels": int(matrix[index].sum()),
        }
        for index, name in enumerate(classes)
    ]


def write_overlap_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write the rows as CSV; what is None stays empty."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _ratio(above: Any, below: Any) -> Any:
    above, below = np.asarray(above, np.float64), np.asarray(below, np.float64)
    return np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0)
