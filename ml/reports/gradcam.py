"""Where a network looked, on one sheet: right and wrong examples, each beside itself with a heat map over it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.reports.figure import FAINT, cut, picture
from ml.reports.mistakes import find_mistakes

EACH = 6
"""Right examples on the sheet, and as many wrong ones."""
NAME_LIMIT = 14
OPACITY = 0.5


def choose_examples(labels: NDArray[np.int64], probabilities: NDArray[Any], each: int = EACH) -> tuple[Any, Any]:
    """Indices of right examples and of wrong ones, the surest first; the right ones take turns by class."""
    wrong = find_mistakes(labels, probabilities)[:each]
    sure = probabilities.max(axis=1)
    right = np.flatnonzero(probabilities.argmax(axis=1) == labels)
    right = right[np.argsort(-sure[right], kind="stable")]
    turn = np.zeros(len(right), np.int64)
    for label in np.unique(labels[right]):
        of_class = labels[right] == label
        turn[of_class] = np.arange(of_class.sum())
    return right[np.argsort(turn, kind="stable")][:each], wrong


def write_gradcam_png(
    path: Path,
    rows: Sequence[tuple[str, Sequence[tuple[NDArray[np.uint8], NDArray[np.float32], str]]]],
) -> None:
    """Write a PNG with a heading and a row of pictures for each group.

    Args:
        path: where to write.
        rows: (heading, examples), an example being (image `[height, width, 1 or 3]` of 0 to 255, heat
            `[height, width]` of 0 to 1, caption).
    """
    columns = max([len(examples) for _, examples in rows] + [1])
    with picture(path, width_inches=max(1.7 * columns, 7.0), height_inches=4.1 * len(rows)) as figure:
        parts = figure.subfigures(len(rows), 1, squeeze=False)[:, 0]
        for part, (heading, examples) in zip(parts, rows, strict=True):
            part.suptitle(heading, x=0.01, ha="left", fontsize=12, fontweight="bold")
            if not examples:
                part.text(0.5, 0.5, "none", ha="center", va="center", color=FAINT)
                continue
            cells = part.subplots(2, columns, squeeze=False)
            for axes in cells.ravel():
                axes.set_axis_off()
            for column, (image, heat, caption) in enumerate(examples):
                _show(cells[0, column], image, caption)
                _show(cells[1, column], image, "")
                cells[1, column].imshow(heat, cmap="inferno", vmin=0, vmax=1, alpha=OPACITY, interpolation="bilinear")


def caption(true: str, said: str, probability: float) -> str:
    """What stands above an example."""
    share = f"{probability:.0%}".replace("%", " %")
    if true == said:
        return f"{cut(true, NAME_LIMIT)}\n({share})"
    return f"{cut(true, NAME_LIMIT)} →\n{cut(said, NAME_LIMIT)} ({share})"


def _show(axes: Any, image: NDArray[np.uint8], title: str) -> None:
    shown = image[..., 0] if image.shape[-1] == 1 else image
    axes.imshow(shown, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    if title:
        axes.set_title(title, fontsize=9, loc="center", pad=4)
