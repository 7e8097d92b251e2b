"""The contact sheet, looked at pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ml.datasets import ImageSet, sample_sheet


def image_set(labels, shape, classes):
    """Every image is of one grey, 10 times its label plus 100."""
    labels = np.asarray(labels)
    images = np.broadcast_to((labels * 10 + 100).astype(np.uint8)[:, None, None, None], (len(labels), *shape))
    return ImageSet("test", images, labels, images, labels, classes)


def test_each_row_shows_images_of_its_class(tmp_path):
    sample_sheet(image_set([0, 2, 2, 0, 1, 2], (28, 28, 1), ("a", "b", "c")), tmp_path / "sheet.png", per_class=2)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    for row, shown in enumerate([2, 1, 2]):
        middle = sheet[20 + row * 60 + 28, :, :]
        grey = 100 + 10 * row
        assert (middle == grey).all(axis=1).sum() == shown * 56


@pytest.mark.parametrize("shape", [(1, 1, 3), (4, 100, 1), (300, 200, 3), (56, 56, 1)])
def test_images_of_any_size_are_shown(shape, tmp_path):
    sample_sheet(image_set([0, 1], shape, ("a", "b")), tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.format == "PNG"
        assert 60 < sheet.height < 300


def test_long_names_and_many_classes_are_shown(tmp_path):
    names = tuple(f"a class with a very long name that nobody wants to read, number {i}" for i in range(100))
    sample_sheet(image_set(range(100), (8, 8, 1), names), tmp_path / "sheet.png", per_class=3)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width < 600
        assert sheet.height > 100 * 32
