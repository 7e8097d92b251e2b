"""A contact sheet of a dataset: some images of each class on one picture, for people to look at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ml.datasets.images import ImageSet

PAPER = (255, 255, 255)
INK = (33, 37, 41)
FAINT = (134, 142, 150)
LARGEST_NAME_PX = 220
GAP_PX = 4
MARGIN_PX = 20


def sample_sheet(image_set: ImageSet, path: Path, per_class: int = 10) -> None:
    """Write a PNG with one row a class: its name, its number of training images, and the first `per_class` of them.

    Small images are enlarged by whole pixels and large ones shrunk, so that each takes about 56 px.
    """
    height, width, _ = image_set.image_shape
    tile = _tile_size(height, width)
    font = ImageFont.load_default(15)
    small = ImageFont.load_default(11)
    names_px = _names_px(image_set.classes, font)
    row_px = max(tile[1], 32) + GAP_PX
    sheet = Image.new(
        "RGB",
        (
            2 * MARGIN_PX + names_px + per_class * (tile[0] + GAP_PX) - GAP_PX,
            2 * MARGIN_PX + len(image_set.classes) * row_px - GAP_PX,
        ),
        PAPER,
    )
    draw = ImageDraw.Draw(sheet)
    for row, name in enumerate(image_set.classes):
        top = MARGIN_PX + row * row_px
        indices = np.flatnonzero(image_set.train_labels == row)
        middle = top + tile[1] // 2
        draw.text((MARGIN_PX, middle - 8), _fit(name, font, names_px - 12), INK, font, anchor="lm")
        draw.text((MARGIN_PX, middle + 10), f"{len(indices):,}", FAINT, small, anchor="lm")
        for column, index in enumerate(indices[:per_class]):
            picture = to_picture(image_set.train_images[index]).resize(tile, _filter(tile, width))
            sheet.paste(picture, (MARGIN_PX + names_px + column * (tile[0] + GAP_PX), top))
    sheet.save(path, "PNG")


def to_picture(image: NDArray[np.uint8]) -> Image.Image:
    """An image `[height, width, 1 or 3]` of 0 to 255 as an RGB picture."""
    image = np.ascontiguousarray(image, dtype=np.uint8)
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).convert("RGB")


def _tile_size(height: int, width: int) -> tuple[int, int]:
    """Width and height of a tile: a whole multiple of a small image, a large one within 64 px."""
    longest = max(height, width)
    if longest <= 56:
        return width * (56 // longest), height * (56 // longest)
    return max(1, round(width * 64 / longest)), max(1, round(height * 64 / longest))


def _filter(tile: tuple[int, int], width: int) -> Image.Resampling:
    return Image.Resampling.NEAREST if tile[0] >= width else Image.Resampling.LANCZOS


def _names_px(names: tuple[str, ...], font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> int:
    return min(LARGEST_NAME_PX, max(80, 24 + int(max(font.getlength(name) for name in names))))


def _fit(name: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, room_px: int) -> str:
    """The name, cut with an ellipsis where it is too long."""
    if font.getlength(name) <= room_px:
        return name
    while name and font.getlength(name + "…") > room_px:
        name = name[:-1]
    return name + "…"
