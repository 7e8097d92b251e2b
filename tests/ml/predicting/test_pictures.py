"""Bringing pictures to what a network takes."""

from __future__ import annotations

import numpy as np

from ml.predicting.pictures import fit_picture, fit_pictures


def _ramp(height, width, channels):
    values = np.arange(height * width * channels) % 256
    return values.astype(np.uint8).reshape(height, width, channels)


def test_a_picture_of_the_right_shape_stays_as_it_is():
    for shape in ((28, 28, 1), (20, 30, 3)):
        picture = _ramp(*shape)
        assert np.array_equal(fit_picture(picture, shape), picture)


def test_colours_become_grey_by_their_luma_and_grey_becomes_three_equal_channels():
    red_green_blue = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    assert fit_picture(red_green_blue, (1, 3, 1)).ravel().tolist() == [76, 150, 29]
    grey = _ramp(4, 4, 1)
    assert np.array_equal(fit_picture(grey, (4, 4, 3)), np.repeat(grey, 3, axis=2))


def test_the_middle_is_taken_and_nothing_is_stretched():
    wide = np.zeros((10, 40, 1), np.uint8)
    wide[:, 15:25] = 200
    assert np.array_equal(fit_picture(wide, (10, 10, 1)), np.full((10, 10, 1), 200))
    tall = np.zeros((40, 10, 3), np.uint8)
    tall[15:25] = (1, 2, 3)
    assert np.array_equal(fit_picture(tall, (10, 10, 3)), np.full((10, 10, 3), (1, 2, 3)))


def test_shrinking_takes_means_and_not_single_points():
    stripes = np.zeros((40, 40, 1), np.uint8)
    stripes[:, ::2] = 200
    inner = fit_picture(stripes, (10, 10, 1))[1:-1, 1:-1]
    assert np.abs(inner.astype(int) - 100).max() <= 1


def test_pictures_of_any_sizes_make_one_batch():
    batch = fit_pictures([_ramp(28, 28, 1), _ramp(5, 9, 3)], (28, 28, 1))
    assert (batch.shape, batch.dtype) == ((2, 28, 28, 1), np.uint8)
    assert fit_pictures([], (28, 28, 1)).shape == (0, 28, 28, 1)
    array = np.stack([_ramp(4, 4, 1), _ramp(4, 4, 1)])
    assert np.array_equal(fit_pictures(array, (4, 4, 1)), array)
    assert fit_pictures(array, (8, 8, 3)).shape == (2, 8, 8, 3)
