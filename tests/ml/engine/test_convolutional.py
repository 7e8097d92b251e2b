"""Dense layers that become convolutions, with their weights: the same numbers, and a window that slides."""

from __future__ import annotations

import numpy as np
import pytest

from ml.engine.build import build_model, main_model
from ml.engine.convolutional import Proof, build_convolutional, sample_places
from ml.engine.evaluate import Evaluation
from ml.networks import make_network
from ml.networks.convolutional import convolutionalise

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # TensorFlow 2.21


def proof_of(name, shape, larger, **options):
    network = make_network(name, shape, 7, options)
    model = build_model(network, seed=3)
    converted = convolutionalise(network, (*larger, shape[-1]))
    return converted, Proof(converted, main_model(model), build_convolutional(converted, model))


def noise(count, shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), np.uint8)


@pytest.mark.parametrize(
    ("name", "shape", "options"),
    [
        ("lenet5", (28, 28, 1), {}),
        ("lenet5", (32, 32, 1), {"variant": "classic"}),
        ("alexnet", (67, 67, 3), {"width": 0.2, "hidden": 64}),
        ("resnet20", (32, 32, 3), {}),
        ("googlenet", (65, 65, 3), {}),
        ("xception", (71, 71, 3), {}),
    ],
)
def test_at_its_own_size_the_converted_network_says_the_same(name, shape, options):
    _, proof = proof_of(name, shape, shape[:2], **options)
    comparison = proof.compare_native(noise(4, shape))
    assert comparison.windows == 4
    assert comparison.largest < 1e-5
    assert comparison.same_class == 1


@pytest.mark.parametrize(("name", "options"), [("lenet5", {}), ("lenet5", {"variant": "classic"}), ("dense", {})])
def test_without_padding_every_place_is_the_classifier_on_its_crop(name, options):
    converted, proof = proof_of(name, (32, 32, 1), (45, 52), **options)
    places = sample_places(converted, 30, seed=1)
    assert {(0, 0), (converted.places[0] - 1, converted.places[1] - 1)} <= set(places)
    comparison = proof.compare_sliding(noise(2, (45, 52, 1)), places)
    assert comparison.windows == 2 * len(places)
    assert comparison.largest < 1e-5


def test_with_padding_a_place_differs_but_not_where_the_padding_sees_what_the_map_sees():
    """On black, the zeros that a crop is padded with are what lies around it."""
    converted, proof = proof_of("lenet5", (28, 28, 1), (60, 60))
    busy = proof.compare_sliding(noise(1, (60, 60, 1)), [(1, 1), (2, 3)])
    assert converted.padded == ("c1",)
    assert busy.largest > 1e-3
    canvas = np.zeros((1, 60, 60, 1), np.uint8)
    canvas[0, 8:36, 12:40] = noise(1, (28, 28, 1))[0]
    assert proof.compare_sliding(canvas, [(2, 3)]).largest < 1e-5


def test_the_mean_of_a_class_activation_map_is_the_logit():
    network = make_network("resnet20", (32, 32, 3), 7, {})
    model = build_model(network, seed=3)
    converted = convolutionalise(network, (32, 32, 3), global_pooling="drop")
    images = noise(3, (32, 32, 3))

    def logits(of):
        return Evaluation(of, batch_size=3).logits(images, between=lambda: None)

    maps = logits(build_convolutional(converted, model))
    assert maps.shape == (3, 8, 8, 7)
    np.testing.assert_allclose(maps.mean(axis=(1, 2)), logits(model), rtol=1e-4, atol=1e-5)


def test_places_are_different_and_no_more_than_there_are():
    converted, _ = proof_of("lenet5", (32, 32, 1), (36, 40))
    assert converted.places == (2, 3)
    assert sorted(sample_places(converted, 100, seed=0)) == [(r, c) for r in range(2) for c in range(3)]
