"""What a segmentation leaves for people: how well each class was told, and pictures with what was said of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from ml.datasets.scenes import HeldScenes
from ml.engine.results import NAMES, Results
from ml.engine.segmenting import PixelScore, Segmenting
from ml.reports.overlap import overlap_rows
from ml.reports.overlays import Judged

SHOWN = 6
"""Pictures on each sheet."""


def keep_scenes(
    results: Results,
    segmenting: Segmenting,
    scenes: HeldScenes,
    score: PixelScore,
    classes: Sequence[str],
    *,
    split: Literal["test", "val"],
) -> None:
    """Write the matrix, the table of classes, a sheet of examples and one of the worst.

    Args:
        results: where they go.
        segmenting: judges the pictures that are shown once more.
        scenes: the pictures.
        score: of all of them.
        classes: their names.
        split: which the pictures are of.
    """
    results.keep_confusion(score.matrix, classes, of=f"pixels of the {NAMES[split]} images")
    results.keep_overlap(overlap_rows(score.matrix, score.borders, classes), split=split)
    worst = np.argsort(score.ious, kind="stable")[:SHOWN]
    examples = np.linspace(0, len(scenes) - 1, min(SHOWN, len(scenes))).round().astype(int)
    for name, chosen in (("overlays.png", examples), ("worst.png", worst)):
        judged = [_judge(segmenting, scenes, int(index), score) for index in chosen]
        results.keep_overlays(name, judged, classes)


def _judge(segmenting: Segmenting, scenes: HeldScenes, index: int, score: PixelScore) -> Judged:
    scene = scenes[index]
    return Judged(scenes.name(index), scene.pixels, scene.mask, segmenting.mask(scene), score.ious[index])
