"""Bent images: pixels come from where the field says, smoothly, and from inside the image."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from ml.engine.elastic import bend, displace_pixels
from records.specs.augmentation import Elastic

IMAGES = np.random.default_rng(0).uniform(0, 255, (4, 6, 8, 2)).astype(np.float32)


def displaced(down: float, right: float) -> np.ndarray:
    ways = np.broadcast_to(np.float32([down, right]), (4, 6, 8, 2))
    return displace_pixels(tf.constant(IMAGES), tf.constant(ways)).numpy()


def test_no_way_at_all_leaves_every_pixel() -> None:
    np.testing.assert_array_equal(displaced(0, 0), IMAGES)


def test_a_pixel_shows_what_lies_below_and_to_the_right_of_it() -> None:
    np.testing.assert_array_equal(displaced(2, 3)[:, :-2, :-3], IMAGES[:, 2:, 3:])


def test_between_four_pixels_lies_their_mean() -> None:
    mean = (IMAGES[:, :-1, :-1] + IMAGES[:, 1:, :-1] + IMAGES[:, :-1, 1:] + IMAGES[:, 1:, 1:]) / 4
    np.testing.assert_allclose(displaced(0.5, 0.5)[:, :-1, :-1], mean, rtol=1e-5)


@pytest.mark.parametrize("turns", [0, 1, -1])
def test_beyond_the_border_the_image_is_mirrored_again_and_again(turns) -> None:
    moved = displaced(0, -2 + 16 * turns)
    np.testing.assert_array_equal(moved[:, :, :2], IMAGES[:, :, 1::-1])
    np.testing.assert_array_equal(moved[:, :, 2:], IMAGES[:, :, :-2])


def test_each_axis_moves_by_its_own_part_of_the_field() -> None:
    ways = np.zeros((4, 6, 8, 2), np.float32)
    ways[2, :, :, 0] = 1
    moved = displace_pixels(tf.constant(IMAGES), tf.constant(ways)).numpy()
    np.testing.assert_array_equal(moved[2, :-1], IMAGES[2, 1:])
    np.testing.assert_array_equal(moved[[0, 1, 3]], IMAGES[[0, 1, 3]])


def test_pixels_of_a_ramp_tell_how_far_they_were_drawn() -> None:
    """On an image whose value is its column, the change of value is the way to the right."""
    ramp = np.tile(np.arange(100, dtype=np.float32)[:, None], (64, 100, 1, 1))
    for strength in (0.02, 0.05):
        bent = bend(tf.constant(ramp), Elastic(strength=strength, points=4), tf.constant([1, 2]))
        way = (bent.numpy() - ramp)[:, 25:75, :, 0]
        assert np.abs(np.diff(way, axis=1)).max() < 5  # smooth: neighbours go nearly the same way
        assert way.std() == pytest.approx(100 * strength, rel=0.35)


def test_equal_seeds_bend_equally_and_each_image_by_itself() -> None:
    images = np.tile(IMAGES[:1], (4, 1, 1, 1))
    one, same, other = (bend(tf.constant(images), Elastic(), tf.constant([3, k])).numpy() for k in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert not np.array_equal(one[0], one[1])
