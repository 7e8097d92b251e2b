"""Learning curves and the sheet of mistakes."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from ml.reports import write_learning_curves, write_mistakes_png
from ml.reports.curves import _series
from ml.reports.mistakes import _caption, _title, find_mistakes

HISTORY = [
    {"epoch": 1, "train/loss": 0.9, "val/loss": 1.0, "train/accuracy": 0.5, "learning_rate": 1e-3},
    {"epoch": 2, "train/loss": 0.4, "val/loss": None, "train/accuracy": 0.8, "learning_rate": 5e-4},
]


def size(path):
    with Image.open(path) as image:
        assert image.format == "PNG"
        return image.size


def test_each_metric_of_the_history_has_a_panel(tmp_path):
    write_learning_curves(tmp_path / "three.png", HISTORY)
    write_learning_curves(tmp_path / "one.png", [{"epoch": 1, "train/loss": 0.9}])
    assert size(tmp_path / "three.png")[0] == 3 * size(tmp_path / "one.png")[0]


@pytest.mark.parametrize("history", [[], [{"epoch": 1}], [{"epoch": 1, "val/loss": float("nan")}], HISTORY * 50])
def test_odd_histories_are_drawn_without_warnings(history, tmp_path):
    write_learning_curves(tmp_path / "curves.png", history)
    assert min(size(tmp_path / "curves.png")) > 400


def test_splits_are_told_apart_and_a_bare_metric_is_of_training():
    series = _series([{"epoch": 3, "loss": 1, "val/loss": 2, "train/accuracy": 0.5, "device/loss": 9}], "loss")
    assert series == {"train": ([3], [1.0]), "val": ([3], [2.0])}


# ── mistakes ─────────────────────────────────────────────────────────────────────────────────────────────────

LABELS = np.array([0, 1, 1, 0, 2])
PROBABILITIES = np.array([[0.9, 0.1, 0], [0.6, 0.4, 0], [0.97, 0.02, 0.01], [0, 0.6, 0.4], [0.1, 0.1, 0.8]])


def test_the_surest_mistake_comes_first_and_of_equals_the_earlier():
    assert find_mistakes(LABELS, PROBABILITIES).tolist() == [2, 1, 3]


def test_a_caption_says_true_and_said():
    assert _caption("7", "1", 0.97, False) == "7 → 1 (97 %)"
    assert _caption("7", "1", 0.999, False) == "7 → 1 (> 99 %)"
    assert _caption("7", "1", 1.0, False) == "7 → 1 (100 %)"
    assert _caption("Ankle boot", "Sandal", 0.514, True) == "Ankle boot →\nSandal (51 %)"


def test_the_title_counts_them():
    assert _title(36, 93, "10,000 test images") == "The 36 surest of 93 mistakes among 10,000 test images: true → said"
    assert _title(5, 5, "10 images") == "All 5 mistakes among 10 images: true → said"
    assert _title(1, 1, "10 images") == "The only mistake among 10 images: true → said"


def test_at_most_as_many_are_shown_as_asked_for(tmp_path):
    images = np.zeros((100, 8, 8, 1), np.uint8)
    labels, probabilities = np.zeros(100, np.int64), np.tile([0.2, 0.8], (100, 1))
    write_mistakes_png(tmp_path / "few.png", images, labels, probabilities, ("a", "b"), limit=6)
    write_mistakes_png(tmp_path / "many.png", images, labels, probabilities, ("a", "b"))
    few, many = size(tmp_path / "few.png"), size(tmp_path / "many.png")
    assert few[0] == many[0]
    assert many[1] > 4 * few[1]


@pytest.mark.parametrize("channels", [1, 3])
def test_the_pictures_of_the_mistakes_are_shown_and_no_others(channels, tmp_path):
    images = np.full((5, 8, 8, channels), 255, np.uint8)
    images[[1, 2, 3]] = 77
    images[[0, 4]] = 180
    write_mistakes_png(tmp_path / "m.png", images, LABELS, PROBABILITIES, ("a", "b", "c"))
    grey = np.asarray(Image.open(tmp_path / "m.png").convert("L"))
    assert (grey == 77).mean() > 0.2
    assert (grey == 180).mean() < 0.01


def test_a_network_without_mistakes_is_told_so(tmp_path):
    write_mistakes_png(tmp_path / "m.png", np.zeros((2, 8, 8, 1), np.uint8), [0, 1], np.eye(2), ("a", "b"))
    colours = np.asarray(Image.open(tmp_path / "m.png").convert("RGB")).astype(int)
    assert (colours[..., 1] - colours[..., 0] > 60).any()


def test_reports_load_neither_tensorflow_nor_pyplot_and_matplotlib_only_to_draw(tmp_path):
    code = f"""
import sys, ml.reports
print(*sorted({{"matplotlib", "tensorboard", "tensorflow", "keras"}} & set(sys.modules)))
from pathlib import Path
ml.reports.write_learning_curves(Path({str(tmp_path)!r}) / "c.png", [])
with ml.reports.ScalarWriter(Path({str(tmp_path)!r}), started_at_s=0.0):
    pass
print(*sorted({{"matplotlib", "matplotlib.pyplot", "tensorflow", "keras"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["", "matplotlib"]
