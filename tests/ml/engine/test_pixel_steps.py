"""Losses over pixels, against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from ml.engine.pixel_steps import pixel_loss
from records.specs.segment import PixelLosses

ONLY = {"cross_entropy": 0.0, "dice": 0.0, "focal": 0.0}


def only(**weights: float) -> PixelLosses:
    return PixelLosses(**ONLY | weights)


CROSS_ENTROPY, DICE, FOCAL = only(cross_entropy=1.0), only(dice=1.0), only(focal=1.0)

# Two pixels of class 0, said with 0.8 and 0.5; one of class 1, said with 0.9; one of no class.
SHARES = np.array([[[[0.8, 0.2], [0.5, 0.5]], [[0.1, 0.9], [0.01, 0.99]]]], np.float32)
LABELS = np.array([[[0, 0], [1, 255]]], np.uint8)


def loss_of(losses, labels=LABELS, shares=SHARES, weights=None):
    given = None if weights is None else tf.constant(weights, tf.float32)
    return float(pixel_loss(tf.constant(np.log(shares)), tf.constant(labels), losses, given))


def test_cross_entropy_is_the_mean_over_the_pixels_that_have_a_class():
    assert loss_of(CROSS_ENTROPY) == pytest.approx(-math.log(0.8 * 0.5 * 0.9) / 3, rel=1e-5)


def test_class_weights_multiply_the_pixels_of_their_class():
    expected = -(2 * math.log(0.8 * 0.5) + 5 * math.log(0.9)) / 3
    assert loss_of(CROSS_ENTROPY, weights=[2, 5]) == pytest.approx(expected, rel=1e-5)


def test_focal_loss_counts_what_is_sure_by_what_is_missing():
    expected = -(0.2**2 * math.log(0.8) + 0.5**2 * math.log(0.5) + 0.1**2 * math.log(0.9)) / 3
    assert loss_of(FOCAL) == pytest.approx(expected, rel=1e-5)
    assert loss_of(only(focal=1.0, focal_gamma=0.0)) == pytest.approx(loss_of(CROSS_ENTROPY), rel=1e-5)


def test_dice_is_one_less_the_mean_overlap():
    zeros = (2 * (0.8 + 0.5) + 1) / ((0.8 + 0.5 + 0.1) + 2 + 1)
    ones = (2 * 0.9 + 1) / ((0.2 + 0.5 + 0.9) + 1 + 1)
    assert loss_of(DICE) == pytest.approx(1 - (zeros + ones) / 2, rel=1e-5)


def test_losses_are_added_up_with_their_weights():
    expected = 0.5 * loss_of(CROSS_ENTROPY) + 2 * loss_of(DICE)
    assert loss_of(only(cross_entropy=0.5, dice=2.0)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss", [CROSS_ENTROPY, only(focal=1.0, focal_gamma=0.5), DICE])
def test_what_is_said_of_a_pixel_without_a_class_changes_nothing(loss):
    other = SHARES.copy()
    other[0, 1, 1] = (0.6, 0.4)
    assert loss_of(loss, shares=other) == pytest.approx(loss_of(loss), rel=1e-6)
    logits = tf.Variable(np.log(SHARES))
    with tf.GradientTape() as tape:
        value = pixel_loss(logits, tf.constant(LABELS), loss)
    gradient = tape.gradient(value, logits).numpy()
    assert np.isfinite(gradient).all()
    assert (gradient[0, 1, 1] == 0).all()
    assert np.abs(gradient[0, 0]).max() > 0


@pytest.mark.parametrize("loss", [CROSS_ENTROPY, FOCAL])
def test_a_batch_without_any_class_costs_nothing(loss):
    assert loss_of(loss, labels=np.full((1, 2, 2), 255, np.uint8)) == 0


def test_certainty_has_a_finite_slope():
    logits = tf.Variable([[[[60.0, -60.0]]]])
    with tf.GradientTape() as tape:
        value = pixel_loss(logits, tf.zeros((1, 1, 1), tf.uint8), only(focal=1.0, focal_gamma=0.5))
    assert np.isfinite(tape.gradient(value, logits).numpy()).all()
