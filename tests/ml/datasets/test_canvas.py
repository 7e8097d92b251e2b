"""Images scattered over a larger one."""

from __future__ import annotations

import numpy as np

from ml.datasets.canvas import scatter

IMAGES = np.arange(1, 6, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 6, 1), np.uint8)
"""Five plain images of the values 1 to 5."""


def test_every_image_lies_whole_where_it_is_said_to_and_none_over_another():
    canvas = scatter(IMAGES, (40, 50), seed=3)
    assert len(canvas.scattered) == (40 // 12) * (50 // 9)
    for image in canvas.scattered:
        lies = canvas.pixels[image.top : image.top + 8, image.left : image.left + 6]
        assert (lies == image.index + 1).all()
    assert np.count_nonzero(canvas.pixels) == len(canvas.scattered) * 8 * 6


def test_the_seed_decides():
    same, again, other = (scatter(IMAGES, (40, 50), seed=seed) for seed in (3, 3, 4))
    assert same.scattered == again.scattered != other.scattered
    assert np.array_equal(same.pixels, again.pixels)


def test_a_canvas_of_an_images_size_holds_just_one():
    canvas = scatter(IMAGES, (8, 6), seed=0)
    assert [(image.top, image.left) for image in canvas.scattered] == [(0, 0)]
