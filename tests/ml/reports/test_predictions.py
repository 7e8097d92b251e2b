"""The table of predictions."""

from __future__ import annotations

import csv

import numpy as np

from ml.reports import PredictionsCsv


def test_each_image_has_a_row_with_every_class(tmp_path):
    path = tmp_path / "predictions.csv"
    with PredictionsCsv(path, ["cat", 'dog, "big"']) as table:
        table.write("test", 0, ["cat", "dog"], np.array([[0.75, 0.25], [0.125, 0.875]], np.float32))
        table.write("test", 2, ["é"], np.array([[1.0, 0.0]], np.float32), names=["accent.png"])
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["split", "index", "name", "label", "predicted", "probability", "p(cat)", 'p(dog, "big")'],
        ["test", "0", "", "cat", "cat", "0.75", "0.75", "0.25"],
        ["test", "1", "", "dog", 'dog, "big"', "0.875", "0.125", "0.875"],
        ["test", "2", "accent.png", "é", "cat", "1", "1", "0"],
    ]
