"""The validation split: complete, stratified, the same every time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.datasets import split_validation


def test_each_class_gives_its_share():
    labels = np.array([0] * 50 + [1] * 30 + [2] * 20)
    train, validation = split_validation(labels, 0.1, seed=0)
    assert np.bincount(labels[validation]).tolist() == [5, 3, 2]
    assert len(train) == 90


def test_shares_are_rounded_by_largest_remainder():
    # 7 of 28: shares 13 · 7/28 = 3.25, 9 · 7/28 = 2.25, 6 · 7/28 = 1.5, so the third class gets the one left over
    labels = np.array([0] * 13 + [1] * 9 + [2] * 6)
    _, validation = split_validation(labels, 0.25, seed=0)
    assert np.bincount(labels[validation]).tolist() == [3, 2, 2]


def test_the_same_seed_gives_the_same_split_and_another_one_another():
    labels = np.arange(200) % 4
    first, again, other = (split_validation(labels, 0.2, seed=s)[1].tolist() for s in (1, 1, 2))
    assert first == again != other


def test_the_images_are_drawn_from_all_over_the_class():
    _, validation = split_validation(np.zeros(1000, int), 0.1, seed=0)
    assert 350 < validation.mean() < 650
    assert validation.max() - validation.min() > 800


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    labels=st.lists(st.integers(0, 5), min_size=2, max_size=80),
    fraction=st.floats(0.01, 0.5),
    seed=st.integers(0, 2**31 - 1),
)
def test_every_image_is_on_one_side_and_no_class_is_off_by_a_whole_image(labels, fraction, seed):
    train, validation = split_validation(labels, fraction, seed)
    assert sorted([*train, *validation]) == list(range(len(labels)))
    assert train.dtype == validation.dtype == np.int64
    assert (np.diff(train) > 0).all()
    assert (np.diff(validation) > 0).all()
    total = max(round(fraction * len(labels)), 1)
    assert len(validation) == total
    counts = np.bincount(labels, minlength=6)
    given = np.bincount(np.asarray(labels)[validation], minlength=6)
    assert (np.abs(given - counts * total / len(labels)) < 1).all()


@pytest.mark.parametrize("fraction", [0, 1, -0.1, float("nan")])
def test_a_fraction_out_of_range_is_refused(fraction):
    with pytest.raises(ValueError, match="above 0 and below 1"):
        split_validation([0, 1], fraction, seed=0)


def test_one_image_cannot_be_split():
    with pytest.raises(ValueError, match="at least 2 images"):
        split_validation([0], 0.5, seed=0)
