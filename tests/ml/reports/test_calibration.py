"""Calibration, worked out by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from ml.reports import calibration, write_calibration_json, write_calibration_png

# five bins: two images at 0.9 (one right), two at 0.7 (both right), one at exactly 0.6 (wrong), which belongs below 0.6
LABELS = np.array([0, 1, 0, 1, 1])
PROBABILITIES = np.array([[0.9, 0.1], [0.9, 0.1], [0.7, 0.3], [0.3, 0.7], [0.6, 0.4]])


def test_the_expected_error_is_the_mean_gap_over_the_images():
    found = calibration(LABELS, PROBABILITIES, bins=5)
    assert [one.count for one in found.bins] == [0, 0, 1, 2, 2]
    assert found.bins[2].accuracy == 0
    assert found.bins[3].confidence == pytest.approx(0.7)
    assert found.bins[4].accuracy == 0.5
    assert found.expected_error == pytest.approx((1 * 0.6 + 2 * 0.3 + 2 * 0.4) / 5)
    assert found.largest_error == pytest.approx(0.6)
    assert found.accuracy == 0.6
    assert found.confidence == pytest.approx(0.76)


def test_a_network_that_knows_has_no_error():
    sure = np.eye(3)[[0, 1, 2, 2]]
    assert calibration([0, 1, 2, 2], sure).expected_error == 0


def test_a_probability_of_one_falls_into_the_last_bin():
    assert calibration([0], [[1.0, 0.0]]).bins[-1].count == 1


def test_it_is_written_with_its_split_and_drawn(tmp_path):
    found = calibration(LABELS, PROBABILITIES)
    write_calibration_json(tmp_path / "c.json", found, split="val")
    read = json.loads((tmp_path / "c.json").read_text())
    assert read["split"] == "val"
    assert len(read["bins"]) == 15
    assert read["expected_error"] == found.expected_error
    write_calibration_png(tmp_path / "c.png", found, of="5 validation images")
    with Image.open(tmp_path / "c.png") as image:
        assert min(image.size) > 400
