"""Class weights, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ml.datasets import class_weights

CLASSES = ("ants", "bees", "cats")


def test_balanced_weights_are_inverse_to_the_counts():
    labels = [0, 0, 0, 0, 0, 0, 1, 1, 1, 2]
    np.testing.assert_allclose(class_weights("balanced", labels, CLASSES), [10 / 18, 10 / 9, 10 / 3], rtol=1e-6)


def test_the_mean_weight_of_an_image_is_one():
    labels = np.random.default_rng(0).integers(0, 3, 1000) ** 2 // 2
    weights = class_weights("balanced", labels, CLASSES)
    assert weights.dtype == np.float32
    np.testing.assert_allclose(weights[labels].mean(), 1, rtol=1e-5)


def test_a_class_without_images_weighs_nothing_and_does_not_change_the_others():
    np.testing.assert_allclose(class_weights("balanced", [0, 0, 0, 2], CLASSES), [4 / 6, 0, 2])


def test_given_weights_are_taken_as_they_are():
    assert class_weights((1.0, 2.0, 0.5), [0, 1], CLASSES).tolist() == [1, 2, 0.5]


def test_without_weights_all_images_count_the_same():
    assert class_weights(None, [0, 1], CLASSES) is None


@pytest.mark.parametrize("value", [(1.0, 2.0), "balance"])
def test_weights_that_do_not_fit_the_classes_are_refused(value):
    with pytest.raises(ValueError, match="3 weights, one a class"):
        class_weights(value, [0, 1], CLASSES)
