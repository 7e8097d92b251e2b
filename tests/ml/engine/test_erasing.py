"""Hidden parts have the area and shape that the spec says, and the rest of the image stays."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from ml.engine.erasing import cover, erase
from records.specs.augmentation import Erase


def hidden(spec: Erase, *, count: int = 400, seed: int = 1) -> np.ndarray:
    """bool `[count, 40, 60]`: what was erased of images that hold a value which noise never takes."""
    images = tf.fill([count, 40, 60, 1], -1.0)
    return erase(images, spec, tf.constant([seed, 2])).numpy()[..., 0] != -1.0


def test_a_box_is_covered_and_the_rest_stays() -> None:
    images, noise = tf.zeros([2, 4, 5, 3]), tf.ones([2, 4, 5, 3])
    covered = cover(
        images, noise, tf.constant([[1.0, 2.0]] * 2), tf.constant([[2.0, 3.0]] * 2), chosen=tf.constant([True, False])
    ).numpy()
    assert covered[1].max() == 0
    np.testing.assert_array_equal(np.argwhere(covered[0, :, :, 0]), [(1, 2), (1, 3), (1, 4), (2, 2), (2, 3), (2, 4)])
    assert covered[0, 1, 2].tolist() == [1, 1, 1]


def test_the_share_of_images_and_areas_are_as_asked() -> None:
    shares = hidden(Erase(probability=0.3, area=(0.1, 0.2), ratio=(0.5, 2.0))).mean(axis=(1, 2))
    assert (shares > 0).mean() == pytest.approx(0.3, abs=0.07)
    assert 0.09 < shares[shares > 0].min() < shares.max() < 0.21


def test_the_hidden_part_is_one_box_of_an_allowed_shape_anywhere() -> None:
    found = hidden(Erase(probability=1.0, area=(0.05, 0.1), ratio=(0.5, 2.0)))
    rows, columns = found.any(axis=2), found.any(axis=1)
    np.testing.assert_array_equal(found, rows[:, :, None] & columns[:, None, :])
    ratios = columns.sum(axis=1) / rows.sum(axis=1)
    assert 0.4 < ratios.min() < 0.7
    assert 1.5 < ratios.max() < 2.3
    assert rows[:, 0].any()
    assert rows[:, -1].any()
    assert columns[:, 0].any()
    assert columns[:, -1].any()


def test_a_part_longer_than_the_image_is_cut_to_it() -> None:
    found = hidden(Erase(probability=1.0, area=(0.9, 1.0), ratio=(10.0, 10.0)), count=3)
    assert found.any(axis=1).all()


def test_it_is_filled_with_even_noise_of_0_to_255() -> None:
    erased = erase(tf.fill([50, 40, 60, 1], -1.0), Erase(probability=1.0), tf.constant([1, 2])).numpy()
    values = erased[erased != -1.0]
    assert 0 <= values.min() < 2
    assert 253 < values.max() <= 255
    assert values.mean() == pytest.approx(127.5, abs=3)
