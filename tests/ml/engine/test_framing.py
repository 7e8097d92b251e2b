"""Random parts and mirror images."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from ml.engine.framing import cut, draw_parts, frame, mirror, to_pixels
from records.specs.augmentation import Augmentation, Crop

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 6, 8, 3), np.uint8)
NO, YES = np.zeros(4, bool), np.ones(4, bool)


def drawn(crop: Crop, aspects: float, count: int = 2000) -> np.ndarray:
    return draw_parts(crop, tf.fill([count], float(aspects)), tf.constant([3, 4])).numpy()


def test_a_flip_mirrors_left_to_right_or_upside_down_to_the_byte():
    np.testing.assert_array_equal(mirror(IMAGES, across=YES, down=NO), IMAGES[:, :, ::-1])
    np.testing.assert_array_equal(mirror(IMAGES, across=NO, down=YES), IMAGES[:, ::-1])
    np.testing.assert_array_equal(mirror(IMAGES, across=YES, down=YES), IMAGES[:, ::-1, ::-1])
    assert mirror(IMAGES, across=YES, down=NO).dtype == tf.uint8


@pytest.mark.parametrize("flip", ["horizontal", "vertical", "both"])
def test_about_half_of_the_images_are_flipped_and_only_as_asked(flip):
    numbered = np.arange(4, dtype=np.float32).reshape(1, 2, 2, 1).repeat(400, axis=0)
    seen = frame(tf.constant(numbered), Augmentation(flip=flip), tf.constant([1, 2])).numpy()[..., 0].reshape(400, 4)
    kinds = {tuple(row): int((seen == row).all(axis=1).sum()) for row in np.unique(seen, axis=0)}
    across, down, turned = (1, 0, 3, 2), (2, 3, 0, 1), (3, 2, 1, 0)
    expected = {"horizontal": {across}, "vertical": {down}, "both": {across, down, turned}}[flip]
    assert kinds.keys() == expected | {(0, 1, 2, 3)}
    assert all(abs(count - 400 / len(kinds)) < 50 for count in kinds.values())


def test_parts_have_the_areas_and_shapes_that_are_allowed_and_lie_within_the_photograph():
    top, left, height, width = drawn(Crop(scale=(0.2, 0.6), ratio=(0.5, 2.0)), aspects=1.5).T
    area, shape = height * width, 1.5 * width / height
    assert 0.2 - 1e-6 <= area.min() < 0.22
    assert 0.57 < area.max() <= 0.6 + 1e-6
    assert 0.5 - 1e-6 <= shape.min() < 0.55
    assert 1.9 < shape.max() <= 2.0 + 1e-6
    assert min(top.min(), left.min()) >= 0
    assert max((top + height).max(), (left + width).max()) <= 1 + 1e-6
    assert top.max() > 0.3  # they lie everywhere


def test_shapes_are_drawn_evenly_on_a_logarithmic_scale():
    _, _, height, width = drawn(Crop(scale=(0.1, 0.1), ratio=(0.5, 2.0)), aspects=1.0).T
    assert abs((width > height).mean() - 0.5) < 0.04


def test_where_no_part_fits_it_is_the_largest_middle_one_of_an_allowed_shape():
    parts = drawn(Crop(scale=(1.0, 1.0), ratio=(0.75, 4 / 3)), aspects=3.0, count=20)
    # of a photograph three times as wide as high, the middle 4:3
    np.testing.assert_allclose(parts, [[0.0, (1 - 4 / 9) / 2, 1.0, 4 / 9]] * 20, rtol=1e-5)
    parts = drawn(Crop(scale=(1.0, 1.0), ratio=(0.75, 4 / 3)), aspects=0.25, count=20)
    np.testing.assert_allclose(parts, [[(1 - 1 / 3) / 2, 0.0, 1 / 3, 1.0]] * 20, rtol=1e-5)


def test_shares_become_pixels_within_the_image():
    parts = tf.constant([[0.0, 0.0, 1.0, 1.0], [0.99, 0.5, 0.01, 0.5], [0.26, 0.0, 0.5, 0.001]])
    assert to_pixels(parts, 10, 20).numpy().tolist() == [[0, 0, 10, 20], [9, 10, 1, 10], [3, 0, 5, 1]]


def test_a_part_is_cut_out_enlarged_bilinearly_and_mirrored():
    image = np.zeros((1, 4, 4, 1), np.uint8)
    image[0, 1:3, 1:3, 0] = [[10, 20], [30, 40]]
    part = tf.constant([[1, 1, 2, 2]])
    given = {"across": tf.constant([False]), "down": tf.constant([False])}
    same = cut(tf.constant(image), part, size=(2, 2), **given).numpy()
    assert same[0, ..., 0].tolist() == [[10, 20], [30, 40]]
    large = cut(tf.constant(image), part, size=(4, 4), **given).numpy()
    # pixel centres of the four columns lie at -1/4, 1/4, 3/4, 5/4 of the two
    assert large[0, 0, :, 0].tolist() == [10, 12.5, 17.5, 20]
    assert large[0, :, 0, 0].tolist() == [10, 15, 25, 30]
    turned = cut(tf.constant(image), part, size=(2, 2), across=tf.constant([True]), down=tf.constant([True])).numpy()
    assert turned[0, ..., 0].tolist() == [[40, 30], [20, 10]]


def test_a_crop_of_everything_is_the_image_itself():
    whole = Augmentation(crop=Crop(scale=(1.0, 1.0), ratio=(4 / 3, 4 / 3)))
    np.testing.assert_array_equal(frame(tf.constant(IMAGES), whole, tf.constant([1, 2])), IMAGES)


def test_a_squeezed_photograph_is_cut_in_its_true_shape():
    """A disc in a photograph twice as wide as high, squeezed to a square, is round again in a part of shape 1:1."""
    down, right = np.mgrid[:64, :64]
    disc = np.hypot((down - 31.5) / 64, 2 * (right - 31.5) / 64) < 0.2
    squeezed = tf.constant(np.repeat(200.0 * disc[None, ..., None], 8, axis=0), tf.float32)
    half = Augmentation(crop=Crop(scale=(0.5, 0.5), ratio=(1.0, 1.0)))
    seen = frame(squeezed, half, tf.constant([1, 3]), size=(96, 96), aspects=tf.fill([8], 2.0)).numpy()[..., 0] > 100
    high, wide = (max(np.ptp(np.nonzero(image)[axis]) for image in seen) for axis in (0, 1))
    assert high == pytest.approx(0.4 * 96, abs=3)
    assert wide == pytest.approx(0.4 * 96, abs=5)  # a pixel of the frame is three here
