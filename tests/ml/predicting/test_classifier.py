"""Models built again from what their jobs kept."""

from __future__ import annotations

import json
import shutil

import keras
import numpy as np
import pytest

from ml.datasets import load_images
from ml.engine.build import build_model, main_model
from ml.networks import draw_network
from ml.predicting.classifier import Classifier, load_classifier
from ml.run_record import Record, read_record
from records.errors import ModelUnreadable
from records.specs import parse_spec

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # TensorFlow 2.21


@pytest.fixture(scope="module")
def images(tiny_mnist):
    return load_images("mnist", tiny_mnist).test_images


@pytest.mark.parametrize("weights", ["best", "last"])
def test_the_model_says_what_the_trained_one_said(trained, images, weights, tmp_path):
    classifier = load_classifier(trained / "run.json", trained / f"{weights}.weights.h5")
    assert classifier.classes == tuple("0123456789")
    model = keras.saving.load_model(trained / "model.keras")
    model.load_weights(trained / f"{weights}.weights.h5")
    expected = model.predict(images, verbose=0)
    told = classifier.probabilities(images)
    np.testing.assert_allclose(told, expected, atol=1e-6)
    np.testing.assert_allclose(told.sum(axis=1), 1.0, atol=1e-5)


def test_best_and_last_are_different_numbers(trained, images):
    files = [trained / f"{name}.weights.h5" for name in ("best", "last")]
    best, last = (load_classifier(trained / "run.json", file).probabilities(images) for file in files)
    summary = json.loads((trained / "run.json").read_text())["metrics"]
    assert np.array_equal(best, last) == (summary["best_epoch"] == summary["epochs"])


def test_many_images_are_told_as_each_alone(trained, images):
    classifier = load_classifier(trained / "run.json", trained / "best.weights.h5")
    whole = classifier.probabilities(images)
    assert whole.shape == (40, 10)
    for batch_size in (1, 7, 100):
        np.testing.assert_allclose(classifier.probabilities(images, batch_size=batch_size), whole, atol=1e-6)
    assert classifier.probabilities(images[:0]).shape == (0, 10)


def test_batches_of_every_size_share_one_trace(trained, images):
    classifier = load_classifier(trained / "run.json", trained / "best.weights.h5")
    for size in (1, 2, 3, 32, 33):
        classifier.probabilities(images[:size])
    assert classifier._forward.experimental_get_tracing_count() == 1


def test_a_network_with_auxiliary_heads_is_built_as_it_was_trained(tmp_path):
    googlenet = {"name": "googlenet", "options": {"width": 0.125}}
    spec = parse_spec({"kind": "train", "dataset": "mnist", "network": googlenet})
    record = Record(spec, tuple("abc"), (66, 66, 1))
    network = draw_network(spec.network, record.image_shape, 3)
    assert network.auxiliary
    model = main_model(build_model(network, seed=99))
    model.save_weights(tmp_path / "best.weights.h5")
    (tmp_path / "run.json").write_text(
        json.dumps({"spec": spec.model_dump(mode="json"), "classes": "abc", "image_shape": [66, 66, 1]})
    )
    again = load_classifier(tmp_path / "run.json", tmp_path / "best.weights.h5")
    images = np.random.default_rng(0).integers(0, 256, (2, 66, 66, 1), np.uint8)
    np.testing.assert_array_equal(again.probabilities(images), Classifier(record, model).probabilities(images))


def test_weights_of_another_network_are_refused(trained, tmp_path):
    other = parse_spec({"kind": "train", "dataset": "mnist", "network": {"name": "dense"}})
    build_model(draw_network(other.network, (28, 28, 1), 10), seed=0).save_weights(tmp_path / "best.weights.h5")
    with pytest.raises(ModelUnreadable, match="does not hold the weights of"):
        load_classifier(trained / "run.json", tmp_path / "best.weights.h5")
    (tmp_path / "cut.weights.h5").write_bytes((trained / "best.weights.h5").read_bytes()[:1000])
    with pytest.raises(ModelUnreadable, match=r"cut\.weights\.h5"):
        load_classifier(trained / "run.json", tmp_path / "cut.weights.h5")


@pytest.mark.parametrize("change", [{"classes": None}, {"image_shape": [28, 28]}, {"spec": {"kind": "no"}}])
def test_a_record_that_says_too_little_is_refused(trained, tmp_path, change):
    said = json.loads((trained / "run.json").read_text())
    assert read_record(trained / "run.json").image_shape == (28, 28, 1)
    (tmp_path / "run.json").write_text(json.dumps(said | change))
    with pytest.raises(ModelUnreadable, match="train the model again"):
        read_record(tmp_path / "run.json")
    (tmp_path / "run.json").write_text("[]")
    with pytest.raises(ModelUnreadable):
        read_record(tmp_path / "run.json")


def test_a_kind_that_leaves_no_model_has_none(trained, tmp_path):
    said = json.loads((trained / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps(said | {"spec": {"kind": "noop"}}))
    shutil.copy(trained / "best.weights.h5", tmp_path)
    with pytest.raises(ModelUnreadable, match="of kind 'noop'"):
        load_classifier(tmp_path / "run.json", tmp_path / "best.weights.h5")
