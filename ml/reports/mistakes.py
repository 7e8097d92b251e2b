"""The surest mistakes of a network on one sheet, so that people see what it cannot tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml.reports.figure import FAINT, GREEN, cut, picture

COLUMNS = 6
NAME_LIMIT = 14
"""Characters of each class's name above an image."""


def write_mistakes_png(
    path: Path,
    images: NDArray[np.uint8],
    labels: ArrayLike,
    probabilities: ArrayLike,
    classes: Sequence[str],
    limit: int = 36,
    *,
    of: str = "images",
) -> None:
    """Write a PNG with the images whose wrong class got the highest probability, the surest first.

    Args:
        path: where to write.
        images: `[n, height, width, 1 or 3]`, 0 to 255; only those that are shown are read.
        labels: `[n]`, the true classes, as indices.
        probabilities: `[n, classes]`, what the network gave.
        classes: the names of the classes.
        limit: most images on the sheet.
        of: what was looked at: `test images`.
    """
    labels = np.asarray(labels)
    probabilities = np.asarray(probabilities)
    wrong = find_mistakes(labels, probabilities)
    if not len(wrong):
        _write_none(path, f"{len(labels):,} {of}")
        return
    shown = wrong[:limit]
    said = probabilities.argmax(axis=1)
    long_names = max(len(name) for name in classes) > 4
    rows = -(-len(shown) // COLUMNS)
    with picture(path, width_inches=1.7 * COLUMNS, height_inches=0.6 + (2.1 if long_names else 1.9) * rows) as figure:
        figure.suptitle(
            _title(len(shown), len(wrong), f"{len(labels):,} {of}"), x=0.01, ha="left", fontsize=12, fontweight="bold"
        )
        cells = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
        for axes in cells:
            axes.set_axis_off()
        for axes, index in zip(cells, shown, strict=False):
            title = _caption(classes[labels[index]], classes[said[index]], probabilities[index].max(), long_names)
            _show(axes, images[index], title)


def find_mistakes(labels: NDArray[np.int64], probabilities: NDArray[Any]) -> NDArray[np.int64]:
    """Indices of the images that were taken for another class, the surest first; of equals the earlier first."""
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")]


def _title(shown: int, wrong: int, among: str) -> str:
    what = "The only mistake" if wrong == 1 else f"All {wrong} mistakes" if shown == wrong else f"The {shown} surest"
    of = f" of {wrong:,} mistakes" if shown < wrong else ""
    return f"{what}{of} among {among}: true → said"


def _caption(true: str, said: str, probability: float, long_names: bool) -> str:
    gap = "\n" if long_names else " "
    return f"{cut(true, NAME_LIMIT)} →{gap}{cut(said, NAME_LIMIT)} ({_percent(probability)})"


def _percent(probability: float) -> str:
    """In whole percent, which are 100 only where it is exactly one."""
    return f"{probability:.0%}".replace("%", " %") if probability < 0.995 or probability == 1 else "> 99 %"


def _show(axes: Any, image: NDArray[np.uint8], title: str) -> None:
    picture_of_one = image[..., 0] if image.shape[-1] == 1 else image
    axes.imshow(picture_of_one, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_title(title, fontsize=9.5, loc="center", pad=4)


def _write_none(path: Path, among: str) -> None:
    with picture(path, width_inches=6, height_inches=2) as figure:
        figure.text(0.5, 0.58, "No mistakes", ha="center", va="center", fontsize=18, fontweight="bold", color=GREEN)
        figure.text(0.5, 0.32, f"among {among}", ha="center", va="center", fontsize=11, color=FAINT)
