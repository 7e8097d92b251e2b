"""The pictures that a painting hands over stay until they have been stored."""

from __future__ import annotations

import numpy as np

from ml.reporter import Reporter
from ml.style.gallery import LEFT, Gallery
from records.events import Artifact, Event


def gallery(folder, heard: list[Event]) -> Gallery:
    return Gallery(folder, Reporter(heard.append), every_s=0.0, clock=lambda: 0.0)


def test_what_was_given_is_all_there_with_as_many_styles_as_there_may_be(tmp_path):
    heard: list[Event] = []
    picture = np.full((8, 8, 3), 0.5, np.float32)
    gallery(tmp_path, heard).keep_given(picture, [picture] * 8)
    paths = [event.path for event in heard if isinstance(event, Artifact)]
    assert len(paths) == 9
    assert all(path.is_file() for path in paths)


def test_of_pictures_on_the_way_the_last_stay(tmp_path):
    heard: list[Event] = []
    pictures = gallery(tmp_path, heard)
    for _ in range(LEFT + 3):
        pictures.show_if_due(lambda: np.full((8, 8, 3), 0.5, np.float32))
    paths = [event.path for event in heard if isinstance(event, Artifact)]
    assert [path.is_file() for path in paths] == [False] * 3 + [True] * LEFT
