"""The fourteen changes of RandAugment, on pictures where one knows what must come out."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from ml.engine.randaugment import CHANGES, randaugment
from records.specs.augmentation import RandAugment

IMAGE = np.random.default_rng(0).integers(20, 200, (9, 9, 3)).astype(np.float32)


def change(name: str, strength: float, image: np.ndarray = IMAGE) -> np.ndarray:
    return CHANGES[name](tf.constant(image, tf.float32), tf.constant(strength)).numpy()


def in_pillow(image: np.ndarray) -> Image.Image:
    return Image.fromarray(image.astype(np.uint8))


def test_they_are_the_papers_fourteen():
    assert len(CHANGES) == 14


@pytest.mark.parametrize("name", [name for name in CHANGES if name not in ("autocontrast", "equalize")])
def test_at_magnitude_zero_nothing_changes(name):
    np.testing.assert_allclose(change(name, 0.0), IMAGE, atol=1e-2)


@pytest.mark.parametrize("name", [name for name in CHANGES if name != "identity"])
def test_at_full_magnitude_something_does_and_stays_within_0_and_255(name):
    for strength in (-1.0, 1.0):
        changed = change(name, strength)
        assert changed.shape == IMAGE.shape
        assert abs(changed - IMAGE).max() > 5
        assert changed.min() >= 0
        assert changed.max() <= 255


@pytest.mark.parametrize("name", list(CHANGES))
def test_grey_images_are_taken_too(name):
    assert change(name, 0.7, IMAGE[..., :1]).shape == (9, 9, 1)


def test_autocontrast_stretches_each_channel_as_pillow_does():
    expected = np.asarray(ImageOps.autocontrast(in_pillow(IMAGE))).astype(np.float32)
    np.testing.assert_allclose(change("autocontrast", 1.0), expected, atol=1.01)


def test_one_colour_has_no_contrast_to_stretch_and_nothing_to_equalize():
    flat = np.full((4, 4, 3), 77, np.float32)
    np.testing.assert_array_equal(change("autocontrast", 1.0, flat), flat)
    np.testing.assert_array_equal(change("equalize", 1.0, flat), flat)


def test_equalized_values_lie_at_the_shares_of_pixels_up_to_them():
    image = np.array([[10, 10], [20, 250]], np.float32)[..., None].repeat(3, axis=-1)
    # 10 is the darkest; of the two that are brighter, one lies at 20 or below
    assert change("equalize", 1.0, image)[..., 0].tolist() == [[0, 0], [127.5, 255]]


def test_solarize_inverts_what_is_above_the_threshold():
    image = np.array([[[0], [127], [128], [255]]], np.float32)
    assert change("solarize", 0.5, image)[0, :, 0].tolist() == [0, 127, 127, 0]
    assert change("solarize", 1.0, image)[0, :, 0].tolist() == [255, 128, 127, 0]


def test_posterize_keeps_the_first_bits_as_pillow_does():
    for strength, bits in ((0.25, 7), (0.5, 6), (1.0, 4)):
        expected = np.asarray(ImageOps.posterize(in_pillow(IMAGE), bits))
        np.testing.assert_array_equal(change("posterize", strength), expected)


def test_shifts_and_shears_move_pixels_where_they_say():
    # 9 px · 0.3 = 2.7 px; a strength of 2 / 2.7 moves two whole pixels
    two = 2 / 2.7
    np.testing.assert_allclose(change("translate-x", two)[:, :-2], IMAGE[:, 2:], atol=1e-2)
    np.testing.assert_allclose(change("translate-y", two)[:-2], IMAGE[2:], atol=1e-2)
    # sheared by 0.25, the row four below the centre moves by one pixel and the centre's row stays
    sheared = change("shear-x", 0.25 / 0.3)
    np.testing.assert_allclose(sheared[4], IMAGE[4], atol=1e-2)
    np.testing.assert_allclose(sheared[8, :-1], IMAGE[8, 1:], atol=1e-2)
    np.testing.assert_allclose(change("shear-y", 0.25 / 0.3)[:-1, 8], IMAGE[1:, 8], atol=1e-2)


def test_rotation_leaves_the_centre_and_turns_anticlockwise():
    dot = np.zeros((9, 9, 1), np.float32)
    dot[4, 8] = 240
    turned = change("rotate", 1.0, dot)[..., 0]  # by 30 degrees: four to the right becomes 3.46 right, 2 up
    row, column = np.unravel_index(turned.argmax(), turned.shape)
    assert (row, column) in ((2, 7), (2, 8))


def test_sharpness_moves_away_from_the_smoothed_image_inside_alone():
    image = np.zeros((5, 5, 1), np.float32)
    image[2, 2] = 130
    softened = change("sharpness", -1 / 0.9, image)[..., 0]  # exactly the smoothed image
    assert softened[2, 2] == pytest.approx(50)
    assert softened[1, 1] == pytest.approx(10)
    assert (softened[0] == 0).all()


def test_equal_seeds_give_equal_images_and_each_image_draws_for_itself():
    images = tf.constant(np.stack([IMAGE] * 16))
    spec = RandAugment(operations=2, magnitude=8.0)
    one, same, other = (randaugment(images, spec, tf.constant([5, k])).numpy() for k in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert len(np.unique(one.reshape(16, -1), axis=0)) > 8
