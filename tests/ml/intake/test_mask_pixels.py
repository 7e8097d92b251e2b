"""A mask file becomes the values that it holds, or a word says why not."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ml.intake.mask_pixels import decode_mask
from ml.intake.pixels import PixelLimits
from ml.intake.refusals import FileProblem
from tests.ml.intake.making import file_of, mask_png

LIMITS = PixelLimits(longest_px=4096, pixels=10**6)
VALUES = np.arange(12 * 16, dtype=np.uint8).reshape(12, 16) % 5
SIZE = (16, 12)


def read(data, came=SIZE, stored=SIZE):
    return decode_mask(data, LIMITS, came_size=came, stored_size=stored)


def problem_of(data, **sizes):
    with pytest.raises(FileProblem) as caught:
        read(data, **sizes)
    return caught.value


def indexed():
    image = Image.fromarray(VALUES).convert("P")
    image.putpalette([value for number in range(256) for value in (255 - number, number, 7)])
    return image


def grey_of(mode):
    grey = Image.fromarray(VALUES)
    return Image.merge(mode, [grey] * 3 + [Image.new("L", SIZE, 255)] * (len(mode) - 3))


@pytest.mark.parametrize(
    "data",
    [
        mask_png(VALUES),
        file_of(indexed()),
        file_of(indexed(), "GIF"),
        file_of(Image.fromarray(VALUES), "BMP"),
        file_of(Image.fromarray(VALUES), "TIFF", compression="tiff_lzw"),
        file_of(Image.fromarray(VALUES.astype(np.uint16))),
        file_of(grey_of("RGB")),
        file_of(grey_of("RGBA")),
        file_of(Image.merge("LA", [Image.fromarray(VALUES), Image.new("L", SIZE, 255)])),
    ],
    ids=["grey", "indexed png", "indexed gif", "bmp", "tiff", "16 bit", "rgb", "rgba", "la"],
)
def test_one_number_a_pixel_is_read_however_it_is_stored(data):
    mask = read(data)
    assert np.array_equal(mask.values, VALUES)
    assert mask.values.dtype == np.uint8
    assert mask.counts == {value: int((value == VALUES).sum()) for value in range(5)}


def test_a_mask_of_single_bits_has_the_values_0_and_1():
    assert set(read(file_of(Image.fromarray(VALUES > 2))).counts) == {0, 1}


def test_a_mask_is_shrunk_by_nearest_neighbour_with_no_value_in_between():
    values = np.zeros((40, 40), np.uint8)
    values[:, 20:] = 200
    mask = read(mask_png(values), came=(40, 40), stored=(10, 10))
    assert mask.values.shape == (10, 10)
    assert np.array_equal(mask.values, np.repeat([[0, 200]], 5, axis=1).repeat(10, axis=0))
    assert mask.counts == {0: 800, 200: 800}


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_a_format_that_blurs_borders_is_a_problem(form):
    problem = problem_of(file_of(Image.fromarray(VALUES), form))
    assert problem.code == "mask_lossy"
    assert "PNG" in problem.text


def test_colours_are_a_problem_with_a_word():
    for data in (file_of(indexed().convert("RGB")), file_of(indexed().convert("RGB").convert("CMYK"), "TIFF")):
        problem = problem_of(data)
        assert problem.code == "mask_in_colour"
        assert "number of its class" in problem.text


def test_another_size_than_the_image_is_a_problem():
    problem = problem_of(mask_png(VALUES), came=(12, 16))
    assert problem.code == "mask_size"
    assert "16 × 12 px, its image 12 × 16 px" in problem.text


def test_values_above_255_are_named():
    values = VALUES.astype(np.uint16)
    values[0, 0], values[0, 1] = 1000, 300
    problem = problem_of(file_of(Image.fromarray(values)))
    assert problem.code == "mask_value"
    assert "got 300, 1000." in problem.text


@pytest.mark.parametrize(("data", "code"), [(b"no image", "unreadable"), (mask_png(VALUES)[:60], "truncated")])
def test_a_broken_mask_is_a_problem(data, code):
    assert problem_of(data).code == code
