"""Inputs that are one of several, or a picture of somebody's."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from records.accounts import create_user
from records.blobs import FolderBlobs
from records.errors import WeightsMissing
from records.pictures import NewPicture, add_pictures
from tests.worker.test_weights import TOY, _folder
from worker.inputs import _stage_first, _stage_picture


class Told:
    """A recorder that keeps its lines."""

    def __init__(self):
        self.lines = []

    def stage(self, stage):
        """Nothing is shown."""

    def log(self, text, level="info"):
        self.lines.append(text)


@pytest.fixture
def place(tmp_path):
    settings = SimpleNamespace(cache_folder=tmp_path / "cache", data=[_folder(tmp_path / "data")])
    return SimpleNamespace(settings=settings, tools={})


BETTER = replace(TOY, name="better", title="Better", file="better.h5")


def test_the_first_weights_that_can_be_had_are_staged(place):
    told = Told()
    path, digest = _stage_first(place, [BETTER, TOY], recorder=told, check=lambda: None)
    assert (path.name, digest) == ("toy.h5", TOY.digest)
    assert "The weights of Better cannot be had here; looking for the next best." in told.lines
    path, _ = _stage_first(place, [TOY, BETTER], recorder=told, check=lambda: None)
    assert path.name == "toy.h5"


def test_where_none_can_be_had_the_last_one_says_where_to_put_it(place):
    with pytest.raises(WeightsMissing, match=r"better\.h5"):
        _stage_first(place, [replace(BETTER, name="other"), BETTER], recorder=Told(), check=lambda: None)


def test_a_picture_is_staged_with_its_bytes(database, tmp_path, clock):
    blobs = FolderBlobs(tmp_path / "blobs")
    blob = blobs.put_bytes(b"a picture")
    new = NewPicture("a.png", blob.sha256, blob.size_bytes, "image/png", 30, 20)
    with database.write() as session:
        owner = create_user(session, "grace", "member", at=clock())
        (row,) = add_pictures(session, owner.id, [new], most=5, at=clock())
        picture_id = row.id
    place = SimpleNamespace(database=database, blobs=blobs)
    path, digest = _stage_picture(place, picture_id, tmp_path, check=lambda: None)
    assert (path.read_bytes(), digest) == (b"a picture", blob.sha256)
