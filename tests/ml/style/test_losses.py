"""Style and content as numbers, against numbers worked out by hand and against finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from ml.style.losses import content_loss, gram, style_loss, total_variation

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # TensorFlow 2.21

FEATURES = np.array([[[1.0, 2.0], [3.0, 4.0]]], np.float32)
"""One row of two places, two channels."""


def test_a_gram_matrix_is_what_one_works_out_by_hand():
    # Channels 1, 3 and 2, 4 over two places: 1+9, 2+12, 4+16, each divided by 2.
    np.testing.assert_allclose(gram(tf.constant(FEATURES)), [[5, 7], [7, 10]])


def test_a_gram_matrix_does_not_know_where_things_are():
    moved = FEATURES[:, ::-1].copy()
    np.testing.assert_allclose(gram(tf.constant(moved)), gram(tf.constant(FEATURES)))


def test_a_mask_counts_only_the_places_that_it_shows():
    shown = gram(tf.constant(FEATURES), tf.constant([[0.0, 1.0]]))
    np.testing.assert_allclose(shown, [[9, 12], [12, 16]], rtol=1e-6)
    even = gram(tf.constant(FEATURES), tf.constant([[0.5, 0.5]]))
    np.testing.assert_allclose(even, gram(tf.constant(FEATURES)), rtol=1e-6)


def test_losses_are_shares_of_what_is_wanted():
    wanted = tf.constant([[3.0, 0.0], [0.0, 4.0]])  # squares: 25
    assert float(style_loss(wanted, wanted)) == 0
    assert float(style_loss(tf.zeros((2, 2)), wanted)) == pytest.approx(1)
    assert float(style_loss(tf.constant([[3.0, 1.0], [2.0, 4.0]]), wanted)) == pytest.approx(5 / 25)
    # Features with squares 1 + 4 + 9 + 16 = 30, one of them off by 3.
    off = FEATURES + np.array([[[0, 0], [0, 3]]], np.float32)
    assert float(content_loss(tf.constant(off), tf.constant(FEATURES))) == pytest.approx(9 / 30)


def test_total_variation_is_the_mean_square_of_steps_down_and_right():
    image = np.zeros((2, 3, 1), np.float32)
    image[1, 2] = 0.5  # one step down of three, one to the right of four
    assert float(total_variation(tf.constant(image))) == pytest.approx(0.25 / 3 + 0.25 / 4)
    assert float(total_variation(tf.ones((5, 5, 3)))) == 0


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: style_loss(gram(x), tf.constant([[2.0, 1.0], [1.0, 3.0]])),
        lambda x: style_loss(gram(x, tf.constant([[0.2, 0.9], [1.0, 0.0]])), tf.constant([[2.0, 1.0], [1.0, 3.0]])),
        lambda x: content_loss(x, tf.reshape(tf.range(8.0), (2, 2, 2))),
        total_variation,
    ],
)
def test_each_gradient_is_that_of_finite_differences(loss):
    at = np.random.default_rng(0).normal(size=(2, 2, 2)).astype(np.float32)
    x = tf.constant(at)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = loss(x)
    gradient = tape.gradient(value, x).numpy()
    for index in np.ndindex(at.shape):
        step = np.zeros_like(at)
        step[index] = 1e-2
        slope = (float(loss(tf.constant(at + step))) - float(loss(tf.constant(at - step)))) / 2e-2
        assert gradient[index] == pytest.approx(slope, rel=2e-2, abs=2e-3)
