"""The confusion matrix and what follows from it, worked out by hand and against scikit-learn."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from sklearn import metrics

from ml.reports import confusion_matrix, write_confusion_json, write_confusion_png

CLASSES = ("ants", "bees", "cats")
LABELS = [0, 0, 0, 0, 1, 1, 1]
SAID = [0, 0, 0, 1, 1, 0, 1]


def test_rows_are_true_and_columns_are_said():
    matrix = confusion_matrix(LABELS, [0, 0, 2, 1, 1, 0, 1], CLASSES)
    assert matrix.tolist() == [[2, 1, 1], [1, 2, 0], [0, 0, 0]]
    assert matrix.dtype == np.int64


def test_the_json_has_the_scores_of_each_class(tmp_path):
    write_confusion_json(tmp_path / "c.json", confusion_matrix(LABELS, SAID, CLASSES), CLASSES)
    content = json.loads((tmp_path / "c.json").read_text())
    assert content["matrix"] == [[3, 1, 0], [1, 2, 0], [0, 0, 0]]
    assert content["classes"] == list(CLASSES)
    assert content["accuracy"] == pytest.approx(5 / 7)
    assert content["per_class"][1] == {
        "class": "bees",
        "precision": pytest.approx(2 / 3),
        "recall": pytest.approx(2 / 3),
        "f1": pytest.approx(2 / 3),
        "support": 3,
    }


def test_a_score_of_nothing_is_null(tmp_path):
    write_confusion_json(tmp_path / "c.json", confusion_matrix(LABELS, SAID, CLASSES), CLASSES)
    cats = json.loads((tmp_path / "c.json").read_text())["per_class"][2]
    assert cats == {"class": "cats", "precision": None, "recall": None, "f1": None, "support": 0}
    write_confusion_json(tmp_path / "c.json", confusion_matrix([], [], CLASSES), CLASSES)
    assert json.loads((tmp_path / "c.json").read_text())["accuracy"] is None


def test_scores_agree_with_scikit_learn(tmp_path):
    rng = np.random.default_rng(0)
    labels, said = rng.integers(0, 6, 500), rng.integers(0, 6, 500) % 5
    matrix = confusion_matrix(labels, said, 6)
    np.testing.assert_array_equal(matrix, metrics.confusion_matrix(labels, said, labels=range(6)))
    write_confusion_json(tmp_path / "c.json", matrix, tuple("abcdef"))
    scores = json.loads((tmp_path / "c.json").read_text())["per_class"]
    expected = metrics.precision_recall_fscore_support(labels, said, labels=range(6), zero_division=0)
    for name, values in zip(("precision", "recall", "f1", "support"), expected, strict=True):
        np.testing.assert_allclose([score[name] or 0 for score in scores], values)


@pytest.mark.parametrize("number", [2, 10, 21, 100])
def test_the_picture_is_drawn_for_few_and_for_many_classes(number, tmp_path):
    names = tuple(f"class ${i}$ of a long name" for i in range(number))
    matrix = np.random.default_rng(0).integers(0, 5, (number, number)) + 100 * np.eye(number, dtype=np.int64)
    write_confusion_png(tmp_path / "c.png", matrix, names)
    with Image.open(tmp_path / "c.png") as image:
        assert image.format == "PNG"
        assert 500 < image.width < 2000


def test_right_answers_are_blue_and_mistakes_orange(tmp_path):
    matrix = np.array([[1, 1], [0, 2]])
    write_confusion_png(tmp_path / "c.png", matrix, ("a", "b"))
    colours = np.asarray(Image.open(tmp_path / "c.png").convert("RGB")).reshape(-1, 3).astype(int)
    blue = (colours[:, 2] - colours[:, 0] > 100).mean()
    orange = (colours[:, 0] - colours[:, 2] > 100).mean()
    assert 0.1 < blue < 0.35
    assert 0.1 < orange < 0.3


def test_a_class_without_images_is_drawn_without_warnings(tmp_path):
    write_confusion_png(tmp_path / "c.png", np.zeros((3, 3), np.int64), CLASSES)
    assert (tmp_path / "c.png").stat().st_size > 1000
