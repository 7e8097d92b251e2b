"""Pictures with masks laid over them: the colours of classes, and sheets of what is so beside what was said."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml.reports.figure import FAINT, cut, picture
from records.intake import IGNORED_CLASS

STRENGTH = 0.45
"""Share of a class's colour in what is shown."""
LONGEST_PX = 512
"""Pictures on a sheet are shrunk to this."""
IGNORED_COLOUR = (128, 128, 128)
WIDTH_INCHES = 3.2


class Judged(NamedTuple):
    """A picture with what is so and what was said."""

    name: str
    pixels: NDArray[np.uint8]
    """`[height, width, 1 or 3]`."""
    mask: NDArray[np.uint8]
    said: NDArray[np.uint8]
    iou: float
    """Mean over the classes of this picture."""


def class_colours(classes: int) -> NDArray[np.uint8]:
    """`[classes, 3]`, red, green, blue; the same colour for the same class wherever it is shown.

    Hues follow each other by the golden ratio, so that neighbours differ. The first class, mostly the background, is
    dark.
    """
    colours = [(32, 34, 40)]
    for number in range(1, classes):
        hue = (0.07 + 0.618034 * (number - 1)) % 1.0
        red, green, blue = colorsys.hsv_to_rgb(hue, 0.85 if number % 2 else 0.6, 1.0)
        colours.append((round(255 * red), round(255 * green), round(255 * blue)))
    return np.array(colours[:classes], np.uint8)


def palette(classes: int) -> NDArray[np.uint8]:
    """The colour of each of the 256 values of a mask, `[256, 3]`."""
    colours = np.zeros((256, 3), np.uint8)
    colours[:classes] = class_colours(classes)
    colours[IGNORED_CLASS] = IGNORED_COLOUR
    return colours


def lay_over(pixels: NDArray[np.uint8], mask: NDArray[np.uint8], classes: int) -> NDArray[np.uint8]:
    """A picture `[height, width, 1 or 3]` with the colours of its classes, `[height, width, 3]`; the first has none."""
    shown = np.broadcast_to(pixels, (*mask.shape, 3)).astype(np.float32)
    coloured = (mask > 0)[..., np.newaxis]
    mixed = (1 - STRENGTH) * shown + STRENGTH * palette(classes)[mask]
    return np.where(coloured, mixed, shown).round().astype(np.uint8)


def write_overlays_png(path: Path, judged: Sequence[Judged], classes: Sequence[str]) -> None:
    """Write a PNG with a row a picture: the picture, what is so, what was said, and in red where they differ."""
    with picture(path, width_inches=4 * WIDTH_INCHES, height_inches=0.6 + WIDTH_INCHES * len(judged), dpi=80) as figure:
        cells = figure.subplots(len(judged), 4, squeeze=False)
        for row, one in zip(cells, judged, strict=True):
            _draw(row, one, len(classes))
        for axes, title in zip(cells[0], ("image", "true", "said", "where they differ"), strict=True):
            axes.set_title(title, fontsize=11, fontweight="bold")
        _add_legend(figure, classes)


def _draw(row: Sequence, one: Judged, classes: int) -> None:
    pixels, mask, said = (_shrunk(values) for values in (one.pixels, one.mask, one.said))
    plain = np.broadcast_to(pixels, (*mask.shape, 3))
    wrong = (mask != said) & (mask != IGNORED_CLASS)
    differing = np.where(wrong[..., np.newaxis], np.uint8((230, 30, 30)), (plain * 0.5).astype(np.uint8))
    shown = (plain, lay_over(pixels, mask, classes), lay_over(pixels, said, classes), differing)
    for axes, values in zip(row, shown, strict=True):
        axes.imshow(values, interpolation="nearest")
        axes.set_axis_off()
    caption = f"{cut(one.name, 28)}   IoU {one.iou:.2f}"
    written = row[0].text(0, -0.03, caption, transform=row[0].transAxes, va="top", color=FAINT)
    written.set_in_layout(False)


def _shrunk(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    longest = max(values.shape[:2])
    if longest <= LONGEST_PX:
        return values
    width, height = (max(1, round(side * LONGEST_PX / longest)) for side in values.shape[1::-1])
    way = Image.Resampling.NEAREST if values.ndim == 2 else Image.Resampling.BILINEAR
    flat = values[..., 0] if values.shape[-1] == 1 and values.ndim == 3 else values
    small = np.asarray(Image.fromarray(flat).resize((width, height), way))
    return small[..., np.newaxis] if values.ndim == 3 and small.ndim == 2 else small


def _add_legend(figure: object, classes: Sequence[str]) -> None:
    from matplotlib.patches import Patch

    colours = class_colours(len(classes)) / 255
    patches = [Patch(color=colour, label=cut(name, 20)) for colour, name in zip(colours, classes, strict=True)]
    figure.legend(handles=patches[:20], loc="outside lower center", ncols=6, fontsize=9)  # type: ignore[attr-defined]
