"""Overlap and borders, against numbers worked out by hand and against scikit-learn and SciPy."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from scipy import ndimage
from sklearn.metrics import confusion_matrix, f1_score, jaccard_score

from ml.reports.overlap import (
    BorderCounts,
    border,
    class_dice,
    class_ious,
    mean_of,
    overlap_rows,
    pixel_accuracy,
    pixel_matrix,
    widened,
    write_overlap_csv,
)

MASK = np.array([[0, 0, 1, 1], [0, 0, 1, 255], [2, 2, 2, 255]], np.uint8)
SAID = np.array([[0, 1, 1, 1], [0, 0, 0, 2], [2, 2, 1, 0]], np.uint8)


def test_overlap_by_hand():
    matrix = pixel_matrix(MASK, SAID, 3)
    assert matrix.tolist() == [[3, 1, 0], [1, 2, 0], [0, 1, 2]]
    # background 3 of 3 + 1 + 1; ones 2 of 3 + 2; twos 2 of 3
    np.testing.assert_allclose(class_ious(matrix), [3 / 5, 2 / 5, 2 / 3])
    np.testing.assert_allclose(class_dice(matrix), [6 / 8, 4 / 7, 4 / 5])
    assert pixel_accuracy(matrix) == 7 / 10
    assert mean_of(class_ious(matrix)) == pytest.approx((3 / 5 + 2 / 5 + 2 / 3) / 3)


def test_overlap_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    mask, said = rng.integers(0, 4, (40, 30)).astype(np.uint8), rng.integers(0, 4, (40, 30)).astype(np.uint8)
    mask[rng.random(mask.shape) < 0.1] = 255
    matrix, labelled = pixel_matrix(mask, said, 4), mask != 255
    true, told = mask[labelled], said[labelled]
    assert np.array_equal(matrix, confusion_matrix(true, told))
    np.testing.assert_allclose(class_ious(matrix), jaccard_score(true, told, average=None))
    np.testing.assert_allclose(class_dice(matrix), f1_score(true, told, average=None))


def test_a_class_that_is_nowhere_is_no_part_of_the_mean():
    matrix = np.array([[6, 0, 0], [2, 2, 0], [0, 0, 0]])
    assert np.isnan(class_ious(matrix)[2])
    assert mean_of(class_ious(matrix)) == pytest.approx((6 / 8 + 2 / 4) / 2)


def test_counts_of_a_whole_set_are_not_the_mean_of_its_images():
    """A class of one pixel that is missed in one image counts as one pixel, not as half of the set."""
    large = pixel_matrix(np.ones((10, 10), np.uint8), np.ones((10, 10), np.uint8), 2)
    small = pixel_matrix(np.ones((1, 1), np.uint8), np.zeros((1, 1), np.uint8), 2)
    assert class_ious(large + small)[1] == 100 / 101


# ── borders ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_border_lies_beside_another_class_not_beside_the_edge_or_what_has_no_class():
    mask = np.array([[1, 1, 1, 255], [1, 1, 0, 0], [1, 1, 0, 0]], np.uint8)
    assert border(mask, 1).tolist() == [
        [False, False, True, False],
        [False, True, False, False],
        [False, True, False, False],
    ]
    assert border(mask, 0).tolist() == [
        [False, False, False, False],
        [False, False, True, False],
        [False, False, True, False],
    ]


@pytest.mark.parametrize("radius", [1, 2, 5])
def test_widening_reaches_as_far_as_the_distance_says(radius):
    true = np.random.default_rng(1).random((23, 31)) < 0.02
    assert np.array_equal(widened(true, radius), ndimage.distance_transform_edt(~true) <= radius)


def square(top: int, left: int) -> np.ndarray:
    mask = np.zeros((20, 20), np.uint8)
    mask[top : top + 8, left : left + 8] = 1
    return mask


@pytest.mark.parametrize(("moved", "f1"), [(0, 1.0), (2, 1.0), (6, None)])
def test_a_border_that_is_off_by_no_more_than_the_tolerance_is_right(moved, f1):
    counts = BorderCounts(2, 2)
    counts.add(square(4, 4), square(4, 4 + moved))
    assert counts.true[1] == counts.said[1] == 28
    if f1 is not None:
        np.testing.assert_allclose(counts.f1, f1)
    else:
        assert 0.2 < counts.f1[1] < 0.8


def test_boundary_f1_by_hand():
    """One column of ones at 2 and one said at 4 and 9: of 10 said pixels 5 are near, of 5 true ones all are found."""
    mask, said = np.zeros((5, 12), np.uint8), np.zeros((5, 12), np.uint8)
    mask[:, 2], said[:, 4], said[:, 9] = 1, 1, 1
    counts = BorderCounts(2, 2)
    counts.add(mask, said)
    assert (counts.said[1], counts.said_right[1], counts.true[1], counts.true_found[1]) == (10, 5, 5, 5)
    assert counts.f1[1] == pytest.approx(2 * 0.5 * 1.0 / 1.5)


def test_borders_are_added_up_over_images_and_a_class_without_any_has_no_f1():
    counts = BorderCounts(3, 1)
    counts.add(square(4, 4), square(4, 4))
    counts.add(square(4, 4), np.zeros((20, 20), np.uint8))
    assert counts.f1[1] == pytest.approx(2 * 1.0 * 0.5 / 1.5)
    assert np.isnan(counts.f1[2])


def test_what_is_said_where_there_is_no_class_makes_no_border():
    mask, said = square(4, 4), square(4, 4)
    mask[:, 15:], said[:, 17:] = 255, 1
    counts = BorderCounts(2, 2)
    counts.add(mask, said)
    assert counts.f1.tolist() == [1.0, 1.0]


def test_the_table_has_a_row_a_class(tmp_path):
    counts = BorderCounts(3, 2)
    counts.add(MASK, SAID)
    rows = overlap_rows(pixel_matrix(MASK, SAID, 3), counts, ("a", "b", "c"))
    assert rows[1] | {"boundary_f1": 0} == {
        "class": "b",
        "iou": 2 / 5,
        "dice": 4 / 7,
        "precision": 2 / 4,
        "recall": 2 / 3,
        "boundary_f1": 0,
        "pixels": 3,
    }
    write_overlap_csv(tmp_path / "t.csv", rows)
    with (tmp_path / "t.csv").open() as file:
        assert [float(row["iou"]) for row in csv.DictReader(file)] == pytest.approx([3 / 5, 2 / 5, 2 / 3])
