"""The sheet of where a network looked."""

from __future__ import annotations

import numpy as np
from PIL import Image

from ml.reports import caption, choose_examples, write_gradcam_png

LABELS = np.array([0, 0, 0, 1, 1, 1])
PROBABILITIES = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6], [0.1, 0.9], [0.95, 0.05]])


def test_right_examples_take_turns_by_class_the_surest_first_and_so_do_wrong_ones():
    right, wrong = choose_examples(LABELS, PROBABILITIES)
    assert right.tolist() == [0, 4, 1, 3]
    assert wrong.tolist() == [5, 2]
    right, wrong = choose_examples(LABELS, PROBABILITIES, each=1)
    assert (right.tolist(), wrong.tolist()) == ([0], [5])


def test_a_caption_says_what_it_is_and_what_was_said():
    assert caption("ants", "ants", 0.934) == "ants\n(93 %)"
    assert caption("ants", "bees", 0.7) == "ants →\nbees (70 %)"


def test_a_sheet_is_drawn_also_where_nothing_was_wrong(tmp_path):
    image = np.full((20, 30, 3), 120, np.uint8)
    heat = np.linspace(0, 1, 600, dtype=np.float32).reshape(20, 30)
    examples = [(image, heat, "ants\n(93 %)"), (image[..., :1], heat, "bees $x$\n(60 %)")]
    write_gradcam_png(tmp_path / "gradcam.png", [("Right", examples), ("Wrong", [])])
    with Image.open(tmp_path / "gradcam.png") as sheet:
        assert min(sheet.size) > 600
        assert len(sheet.convert("RGB").getcolors(10**6)) > 200  # the colours of the heat are there
