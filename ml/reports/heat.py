"""What a network says of every place of a larger image, drawn over it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.reports.figure import FAINT, cut, picture

WIDTH_INCHES = 4.4
MOST_NAMED = 12
"""Classes that get a colour of their own and stand in the legend, those that claim most places first."""
SURE = 0.5
"""Probability below which a place is left uncoloured."""


def write_heat_maps_png(
    path: Path,
    images: NDArray[np.uint8],
    probabilities: NDArray[np.floating[Any]],
    classes: Sequence[str],
    *,
    window: tuple[int, int],
    stride: tuple[int, int],
) -> None:
    """Write a PNG with each image beside its map: in the middle of each window the surest class, faint where unsure.

    Args:
        path: where to write.
        images: `[n, height, width, 1 or 3]`, 0 to 255.
        probabilities: `[n, rows, columns, classes]`.
        classes: the names of the classes.
        window: height and width that a place is about, in pixels.
        stride: between neighbouring places, in pixels.
    """
    height, width = images.shape[1:3]
    tall = WIDTH_INCHES * height / width
    said, sure = probabilities.argmax(axis=-1), probabilities.max(axis=-1)
    named = _most_claimed(said[sure >= SURE], len(classes))
    with picture(path, width_inches=2 * WIDTH_INCHES + 1.6, height_inches=0.5 + tall * len(images), dpi=80) as figure:
        cells = figure.subplots(len(images), 2, squeeze=False)
        for (plain, mapped), image, what, how_sure in zip(cells, images, said, sure, strict=True):
            for axes in (plain, mapped):
                axes.set_axis_off()
                axes.imshow(image[..., 0] if image.shape[-1] == 1 else image, cmap="gray", vmin=0, vmax=255)
            colours = _colours(what, how_sure, named)
            mapped.imshow(colours, extent=_extent(what.shape, window, stride), interpolation="nearest")
            mapped.set_xlim(plain.get_xlim())
            mapped.set_ylim(plain.get_ylim())
        _add_legend(figure, named, classes)


def _most_claimed(claimed: NDArray[np.int64], classes: int) -> list[int]:
    counts = np.bincount(claimed, minlength=classes)
    order = np.argsort(-counts, kind="stable")
    return sorted(int(cls) for cls in order[:MOST_NAMED] if counts[cls])


def _colours(said: NDArray[np.int64], sure: NDArray[Any], named: Sequence[int]) -> NDArray[np.float64]:
    """RGBA of each place."""
    shown = np.zeros((*said.shape, 4))
    for cls in range(int(said.max()) + 1):
        here = (said == cls) & (sure >= SURE)
        shown[here, :3] = _colour(named.index(cls)) if cls in named else (0.5, 0.5, 0.5)
        shown[here, 3] = 0.7 * (sure[here] - SURE) / (1 - SURE)
    return shown


def _colour(index: int) -> tuple[float, float, float]:
    from matplotlib import colormaps

    red, green, blue, *_ = colormaps["tab20"]((2 * index) % 20 + (index >= 10))
    return red, green, blue


def _extent(places: tuple[int, ...], window: tuple[int, int], stride: tuple[int, int]) -> tuple[float, ...]:
    """Left, right, bottom and top of the map on the image: each place a tile around its window's middle."""
    top, left = ((size - step) / 2 - 0.5 for size, step in zip(window, stride, strict=True))
    return left, left + places[1] * stride[1], top + places[0] * stride[0], top


def _add_legend(figure: Any, named: Sequence[int], classes: Sequence[str]) -> None:
    from matplotlib.patches import Patch

    patches = [Patch(color=_colour(index), label=cut(classes[cls], 16)) for index, cls in enumerate(named)]
    title = "said of the window" if patches else f"nothing is surer than {SURE:.0%}"
    legend = figure.legend(handles=patches, loc="outside right upper", title=title, fontsize=9)
    legend.get_title().set_color(FAINT)
