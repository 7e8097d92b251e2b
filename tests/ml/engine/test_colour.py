"""Colours change as one can work out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from ml.engine.colour import GREY, adjust, recolour
from records.specs.augmentation import Augmentation

RED, GREEN, BLUE, GREY_100 = (200.0, 0.0, 0.0), (0.0, 200.0, 0.0), (0.0, 0.0, 200.0), (100.0, 100.0, 100.0)


def adjusted(*pixels, brightness=1.0, contrast=1.0, saturation=1.0, degrees=0.0) -> np.ndarray:
    """One image of these pixels in a row."""
    values = {"brightness": brightness, "contrast": contrast, "saturation": saturation, "angle": math.radians(degrees)}
    image = tf.constant([[pixels]], tf.float32)
    return adjust(image, **{name: tf.constant([value], tf.float32) for name, value in values.items()}).numpy()[0, 0]


def test_nothing_changes_by_factors_of_one():
    np.testing.assert_allclose(adjusted(RED, (13, 200, 77)), [RED, (13, 200, 77)], atol=1e-3)


def test_brightness_multiplies_and_stops_at_white():
    np.testing.assert_allclose(adjusted((10, 100, 200), brightness=1.5), [(15, 150, 255)], atol=1e-3)


def test_contrast_spreads_about_the_mean_grey_of_the_image():
    # greys of 50 and 150 have the mean 100
    np.testing.assert_allclose(adjusted((50,) * 3, (150,) * 3, contrast=0.5), [(75,) * 3, (125,) * 3], atol=1e-3)
    np.testing.assert_allclose(adjusted((50,) * 3, (150,) * 3, contrast=0.0), [(100,) * 3] * 2, atol=1e-3)


def test_without_saturation_a_colour_is_the_grey_that_the_eye_sees():
    for colour, share in zip((RED, GREEN, BLUE), GREY, strict=True):
        np.testing.assert_allclose(adjusted(colour, saturation=0.0), [(200 * share,) * 3], atol=1e-3)


def test_hue_leads_red_to_green_to_blue_by_a_third_of_a_turn_each():
    np.testing.assert_allclose(adjusted(RED, GREEN, BLUE, degrees=120), [GREEN, BLUE, RED], atol=1e-3)
    np.testing.assert_allclose(adjusted(RED, degrees=-120), [BLUE], atol=1e-3)


def test_hue_leaves_greys_and_half_a_turn_of_red_is_the_opposite_colour():
    np.testing.assert_allclose(adjusted(GREY_100, degrees=77), [GREY_100], atol=1e-3)
    np.testing.assert_allclose(adjusted((150, 60, 60), degrees=180), [(30, 120, 120)], atol=1e-3)  # the sum stays 270


def test_brightness_and_contrast_come_before_saturation_and_all_in_one_product():
    # twice as bright: 40, 80; about their mean 60 by 1.5: 30, 90
    np.testing.assert_allclose(
        adjusted((20,) * 3, (40,) * 3, brightness=2.0, contrast=1.5), [(30,) * 3, (90,) * 3], atol=1e-3
    )


def test_grey_images_change_in_brightness_and_contrast():
    image = tf.constant([[[[50.0], [150.0]]]])
    one = tf.ones([1])
    changed = adjust(image, brightness=one, contrast=0.5 * one, saturation=one, angle=0.0 * one)
    np.testing.assert_allclose(changed[0, 0, :, 0], [75, 125], atol=1e-3)


def test_draws_stay_within_what_is_asked_and_reach_it():
    white = tf.fill([2000, 1, 1, 3], 100.0)
    seen = recolour(white, Augmentation(brightness=0.3), tf.constant([1, 2])).numpy()[:, 0, 0, 0]
    assert 70 <= seen.min() < 72
    assert 128 < seen.max() <= 130
    assert seen.mean() == pytest.approx(100, abs=1)


def test_each_change_draws_for_itself():
    """What one more change draws does not move the draws of the others."""
    image = tf.constant(np.random.default_rng(0).uniform(80, 120, (5, 1, 1, 1)), tf.float32)
    one = recolour(image, Augmentation(brightness=0.2), tf.constant([1, 2]))
    both = recolour(image, Augmentation(brightness=0.2, contrast=0.5), tf.constant([1, 2]))
    np.testing.assert_allclose(one, both, atol=1e-3)  # of one pixel, the mean is the pixel
