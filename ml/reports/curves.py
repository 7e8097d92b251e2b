"""Learning curves: loss, accuracy and learning rate over the epochs, train and validation together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ml.reports.figure import BLUE, FAINT, GREEN, ORANGE, picture

PANELS = ("loss", "accuracy", "mean_iou", "learning_rate")
COLOURS = {"train": BLUE, "val": ORANGE, "test": GREEN}
NAMES = {"train": "train", "val": "validation", "test": "test"}
MARKED_EPOCHS = 30
"""Up to so many epochs each gets a dot."""


def write_learning_curves(path: Path, history: Sequence[Mapping[str, Any]]) -> None:
    """Write a PNG with one panel each for loss, accuracy, mean IoU and learning rate, as far as the history has them.

    Args:
        path: where to write.
        history: one row an epoch: `epoch`, and metrics named `train/loss`, `val/accuracy`, `learning_rate` … A metric
            without a split counts as `train`; None and what is missing leave a gap.
    """
    panels = [panel for panel in PANELS if _series(history, panel)]
    with picture(path, width_inches=max(4.4 * len(panels), 4.4), height_inches=3.7) as figure:
        if not panels:
            figure.text(0.5, 0.5, "No epoch was finished.", ha="center", va="center", color=FAINT)
            return
        for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
            _draw(axes, panel, _series(history, panel))


def _series(history: Sequence[Mapping[str, Any]], panel: str) -> dict[str, tuple[list[float], list[float]]]:
    """Epochs and values of each split that has this metric."""
    series: dict[str, tuple[list[float], list[float]]] = {}
    for number, row in enumerate(history, start=1):
        for name, value in row.items():
            split, _, metric = name.rpartition("/")
            if metric == panel and (split or "train") in COLOURS:
                epochs, values = series.setdefault(split or "train", ([], []))
                epochs.append(row.get("epoch", number))
                values.append(float("nan") if value is None else float(value))
    return series


def _draw(axes: Any, panel: str, series: dict[str, tuple[list[float], list[float]]]) -> None:
    for split in sorted(series, key=list(COLOURS).index):
        epochs, values = series[split]
        colour = FAINT if panel == "learning_rate" else COLOURS[split]
        marker = "o" if len(epochs) <= MARKED_EPOCHS else None
        axes.plot(
            epochs,
            values,
            color=colour,
            linewidth=1.8,
            marker=marker,
            markersize=3.5,
            label=NAMES[split],
            clip_on=False,
        )
    axes.set_title(panel.replace("_", " ").capitalize(), fontsize=12, fontweight="bold")
    axes.set_xlabel("epoch")
    axes.grid(axis="y")
    axes.margins(x=0.03, y=0.08)
    _set_ticks(axes, panel, max(max(epochs) for epochs, _ in series.values()))
    if panel != "learning_rate":
        axes.legend(loc="best")


def _set_ticks(axes: Any, panel: str, last_epoch: float) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))
    if last_epoch <= 1:
        axes.set_xlim(0.5, 1.5)
        axes.set_xticks([1])
    if panel == "accuracy":
        axes.yaxis.set_major_formatter(PercentFormatter(xmax=1))
        axes.set_ylim(top=min(1.0, axes.get_ylim()[1]))
    else:
        axes.set_ylim(0, axes.get_ylim()[1] * 1.05)
