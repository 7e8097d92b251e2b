"""Draws the picture and prints the table of `docs/segmentation.md`: how pooling loses places, and what finds them.

    python -m docs.segmentation_picture STAGED RUN RUN …

STAGED is a dataset with masks as a worker unpacks it; each RUN is a folder with the `run.json` and `best.weights.h5` of
a segmentation on it, in the order of the columns.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.datasets.scenes import HeldScenes, Scene, list_scenes
from ml.engine.earlier import load_trained
from ml.engine.segmenting import PixelScore
from ml.engine.tiles import TiledModel
from ml.networks.segmenters import SEGMENTERS
from ml.reports.figure import BLUE, FAINT, GREEN, ORANGE, picture
from ml.reports.overlap import border, class_ious, mean_of, widened
from ml.reports.overlays import lay_over
from ml.run_record import read_record
from records.intake import IGNORED_CLASS

PATH = Path(__file__).with_name("pictures") / "segmentation.png"
DISTANCES = (1, 2, 4, 8)
"""Pixels from a border, the last of each band."""
BANDS = ("1 px", "2 px", "3-4 px", "5-8 px", "farther")
COLOURS = ("#9c36b5", ORANGE, GREEN, BLUE)
SHOWN_PX = 128
"""Of the picture's side, so that borders can be seen."""


def main(staged: Path, runs: Sequence[Path]) -> None:
    """Judge every picture of the validation part by every run, print the table and draw one of them."""
    scenes = list_scenes(staged)
    held = HeldScenes(scenes, scenes.splits["val"], channels=scenes.channels, threads=2)
    names, masks, rights = [], [], []
    print("| network | mean IoU | foreground IoU | boundary F1 | " + " | ".join(BANDS) + " |")
    print("|---|---|---|---|" + "---|" * len(BANDS))
    for run in runs:
        record = read_record(run / "run.json")
        model = load_trained(record.draw(), run / "best.weights.h5")
        tiled = TiledModel(model, overlap=record.spec.tile_overlap, batch_size=8)
        score = PixelScore(len(scenes.classes), record.spec.boundary_px)
        said = [tiled.mask(held[index].pixels) for index in range(len(held))]
        for index, mask in enumerate(said):
            score.add(held[index].mask, mask, 0.0)
        names.append(SEGMENTERS[record.spec.network.name].title)
        masks.append(said)
        rights.append(right_by_distance(held, said, len(scenes.classes)))
        ious = class_ious(score.matrix)
        numbers = (mean_of(ious), mean_of(ious[1:]), score.named["boundary_f1"], *rights[-1])
        print(f"| {names[-1]} | " + " | ".join(f"{number:.3f}" for number in numbers) + " |")
    chosen = busiest(held)
    draw(held[chosen], [said[chosen] for said in masks], names, rights, classes=len(scenes.classes))


def right_by_distance(held: HeldScenes, said: Sequence[NDArray[np.uint8]], classes: int) -> NDArray[np.float64]:
    """Share of the pixels that are right in each band around the true borders."""
    right, all_of = np.zeros(len(BANDS)), np.zeros(len(BANDS))
    for index, mask in enumerate(said):
        truth = held[index].mask
        far = distance_bands(truth, classes)
        for band in range(len(BANDS)):
            here = (far == band) & (truth != IGNORED_CLASS)
            right[band] += (mask[here] == truth[here]).sum()
            all_of[band] += here.sum()
    return right / all_of


def distance_bands(truth: NDArray[np.uint8], classes: int) -> NDArray[np.int64]:
    """For each pixel the index of its band; those on a border are 1 px from the other class."""
    edges = np.any([border(truth, index) for index in range(classes)], axis=0)
    bands = np.full(truth.shape, len(DISTANCES))
    for index in range(len(DISTANCES) - 1, -1, -1):
        reach = DISTANCES[index] - 1
        bands[widened(edges, reach) if reach else edges] = index
    return bands


def busiest(held: HeldScenes) -> int:
    """The picture with most border in the part that is shown."""
    return max(range(len(held)), key=lambda index: int(border(held[index].mask[:SHOWN_PX, :SHOWN_PX], 1).sum()))


def draw(
    scene: Scene,
    said: Sequence[NDArray[np.uint8]],
    names: Sequence[str],
    rights: Sequence[NDArray[np.float64]],
    *,
    classes: int,
) -> None:
    """The picture, what is so and what each network says; below, how often each is right near a border."""
    part = (slice(0, SHOWN_PX), slice(0, SHOWN_PX))
    pixels = np.broadcast_to(scene.pixels, (*scene.mask.shape, 3))
    columns = [("image", pixels), ("true", lay_over(scene.pixels, scene.mask, classes))]
    columns += [(name, lay_over(scene.pixels, mask, classes)) for name, mask in zip(names, said, strict=True)]
    with picture(PATH, width_inches=12.5, height_inches=5.2, dpi=100) as figure:
        grid = figure.add_gridspec(2, len(columns), height_ratios=(1.0, 1.25))
        for number, (name, shown) in enumerate(columns):
            axes = figure.add_subplot(grid[0, number])
            axes.imshow(shown[part], interpolation="nearest")
            axes.set_title(name, fontsize=11, fontweight="bold")
            axes.set_axis_off()
        _draw_curves(figure.add_subplot(grid[1, :]), names, rights)


def _draw_curves(axes: Any, names: Sequence[str], rights: Sequence[NDArray[np.float64]]) -> None:
    for name, right, colour in zip(names, rights, COLOURS, strict=True):
        axes.plot(range(len(BANDS)), right, marker="o", color=colour, label=name)
    axes.set_xticks(range(len(BANDS)), BANDS)
    axes.set_xlabel("distance from the true border")
    axes.set_ylabel("share of pixels right", color=FAINT)
    axes.grid(axis="y")
    axes.legend(loc="lower right")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(argument) for argument in sys.argv[2:]])
