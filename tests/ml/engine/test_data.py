"""A dataset as one training sees it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ml.engine.data import load_parts
from ml.reporter import Interruption
from records.errors import DatasetUnsuitable
from records.events import Log
from records.specs import parse_spec
from tests.ml.recipes.stopping import StoppingReporter
from tests.ml.staged import write_staged

SPEC = {"kind": "train", "dataset": "ada/shapes@1", "network": {"name": "plain_cnn"}, "image_size": [24, 32]}


@pytest.fixture
def load(make_order, tmp_path):
    """`load(counts, **spec fields)`: the parts, and what the reporter heard."""

    def load_some(counts, *, folder=None, stop_at=None, like=None, **fields):
        folder = folder or write_staged(tmp_path / f"set-{len(list(tmp_path.iterdir()))}", counts)
        order = make_order(SPEC | fields).model_copy(
            update={"inputs": {"dataset": folder}, "cache": tmp_path / "cache"}
        )
        reporter = StoppingReporter(stop_at=stop_at)
        return load_parts(parse_spec(order.spec), order, reporter, like=like), reporter

    return load_some


def test_splits_that_are_given_are_kept(load):
    parts, _ = load({"train": 9, "val": 6, "test": 3})
    assert parts.counts == {"train": 9, "val": 6, "test": 3}
    assert parts.classes == ("stripes", "disc", "square")
    assert parts.image_shape == (24, 32, 3)
    assert parts.train[:].shape == (9, 24, 32, 3)
    assert parts.tested[0] == "test"
    assert parts.test.labels.tolist() == [0, 1, 2]


def test_without_a_split_for_validation_a_stratified_part_is_set_aside(load):
    parts, _ = load({"train": 30}, validation_fraction=0.2, seed=5)
    assert parts.counts == {"train": 24, "val": 6}
    assert np.bincount(parts.val.labels).tolist() == [2, 2, 2]
    assert not set(parts.train.rows) & set(parts.val.rows)
    assert parts.tested == ("val", parts.val)
    again, _ = load({"train": 30}, validation_fraction=0.2, seed=5)
    assert again.val.rows.tolist() == parts.val.rows.tolist()


def test_with_a_crop_training_gets_whole_photographs_with_their_shapes_and_validation_does_not(load):
    parts, _ = load({"train": 6, "val": 3}, augmentation={"crop": {}})
    assert parts.train[:].shape == (6, 28, 37, 3)
    np.testing.assert_allclose(parts.train.aspects, [64 / 48, 44 / 60, 1.0] * 2, rtol=1e-6)
    assert parts.val[:].shape == (3, 24, 32, 3)
    assert parts.val.aspects is None


def test_fewer_examples_are_taken_from_what_validation_leaves_and_only_they_are_decoded(load):
    parts, reporter = load({"train": 12, "val": 3}, train_examples=5)
    assert parts.counts == {"train": 5, "val": 3}
    told = [event.text for event in reporter.of(Log)]
    assert told == ["Bringing 5 photographs to 32 x 24 px …", "Bringing 3 photographs to 32 x 24 px …"]


def test_a_network_of_other_channels_gets_them(load):
    parts, _ = load({"train": 6, "val": 3}, like=(16, 16, 1))
    assert parts.image_shape == (24, 32, 1)
    assert parts.train[:].shape == (6, 24, 32, 1)
    parts, _ = load({"train": 6, "val": 3}, like=(16, 16, 1), image_size=None)
    assert parts.image_shape == (16, 16, 1)


def test_what_learned_before_may_see_its_training_images_unchanged(load):
    parts, _ = load({"train": 6, "val": 3}, like=(16, 16, 3), augmentation={"crop": {}})
    assert parts.train[:].shape == (6, 28, 37, 3)
    assert parts.unchanged[:].shape == (6, 24, 32, 3)
    assert parts.unchanged.labels.tolist() == parts.train.labels.tolist()


def test_a_class_without_training_images_is_named(load, tmp_path):
    folder = write_staged(tmp_path / "empty", {"train": 6, "val": 3})
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["classes"].append("triangle")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DatasetUnsuitable, match="got none for triangle"):
        load({}, folder=folder)


def test_one_image_is_too_few_to_set_any_aside(load, tmp_path):
    folder = write_staged(tmp_path / "one", {"train": 1}, classes=("stripes",))
    with pytest.raises(DatasetUnsuitable, match="at least 2 images"):
        load({}, folder=folder)


def test_whoever_is_asked_to_stop_stops_while_photographs_are_made_ready(load):
    with pytest.raises(Interruption):
        load({"train": 6, "val": 3}, stop_at=0)


def test_a_dataset_of_the_catalogue_is_split_as_ever(make_order):
    order = make_order({"kind": "train", "dataset": "mnist", "network": {"name": "lenet5"}})
    parts = load_parts(parse_spec(order.spec), order, StoppingReporter())
    assert parts.counts == {"train": 256, "val": 28, "test": 40}
    assert parts.image_shape == (28, 28, 1)
