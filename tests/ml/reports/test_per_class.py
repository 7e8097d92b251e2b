"""Precision, recall and F1, worked out by hand."""

from __future__ import annotations

import csv
import json

import numpy as np

from ml.reports import class_scores, write_per_class_csv, write_per_class_json
from ml.reports.per_class import mean_scores

CLASSES = ("ants", "bees, wild", "never")
MATRIX = np.array([[8, 2, 0], [4, 6, 0], [0, 0, 0]])


def test_scores_are_those_worked_out_by_hand():
    ants, bees, never = class_scores(MATRIX, CLASSES)
    assert ants == {"class": "ants", "precision": 8 / 12, "recall": 0.8, "f1": 16 / 22, "support": 10}
    assert bees == {"class": "bees, wild", "precision": 6 / 8, "recall": 0.6, "f1": 12 / 18, "support": 10}
    assert never == {"class": "never", "precision": None, "recall": None, "f1": None, "support": 0}
    assert mean_scores([ants, bees, never])["recall"] == 0.7


def test_the_json_says_of_which_split_it_is(tmp_path):
    write_per_class_json(tmp_path / "t.json", MATRIX, CLASSES, split="val")
    read = json.loads((tmp_path / "t.json").read_text())
    assert read["split"] == "val"
    assert read["classes"] == class_scores(MATRIX, CLASSES)
    assert read["mean"]["precision"] == (8 / 12 + 6 / 8) / 2


def test_the_table_can_be_read_back_and_leaves_what_is_unknown_empty(tmp_path):
    write_per_class_csv(tmp_path / "t.csv", MATRIX, CLASSES)
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text().splitlines()))
    assert [row["class"] for row in rows] == list(CLASSES)
    assert float(rows[0]["precision"]) == 8 / 12
    assert rows[2]["f1"] == ""
