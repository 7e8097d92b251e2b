"""Grad-CAM, against a network whose reasons are known."""

from __future__ import annotations

import numpy as np
import pytest

from ml.engine.build import build_model
from ml.engine.gradcam import heat_maps, last_maps
from ml.networks import LOGITS, PROBABILITIES, Draft, make_network
from ml.networks.layers import Activation, Conv2D, Dense, GlobalAveragePooling2D, Rescaling

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # TensorFlow 2.21


def bright_or_not():
    """One map, the brightness; class 1 is said where the image is bright: its logit is the mean."""
    draft = Draft("bright", (8, 12, 1))
    draft.add("rescaling", Rescaling(1 / 255))
    draft.add("map", Conv2D(1, 1))
    draft.add("pool", GlobalAveragePooling2D())
    draft.add(LOGITS, Dense(2))
    draft.add(PROBABILITIES, Activation("softmax"))
    network = draft.finish()
    model = build_model(network, seed=0)
    model.get_layer("map").set_weights([np.ones((1, 1, 1, 1)), np.zeros(1)])
    model.get_layer(LOGITS).set_weights([np.array([[-1.0, 1.0]]), np.zeros(2)])
    return network, model


@pytest.mark.parametrize("frozen", [False, True])
def test_heat_lies_where_the_image_speaks_for_its_class(frozen):
    network, model = bright_or_not()
    model.trainable = not frozen
    images = np.zeros((2, 8, 12, 1), np.uint8)
    images[0, 2:4, 5:9] = 200
    images[1, 6, 1] = 50
    heat = heat_maps(model, last_maps(network), images)
    assert heat.shape == (2, 8, 12)
    np.testing.assert_allclose(heat[0], images[0, ..., 0] / 200, atol=1e-6)  # each is scaled to its own largest
    np.testing.assert_allclose(heat[1], images[1, ..., 0] / 50, atol=1e-6)


def test_what_speaks_against_the_class_is_left_out():
    network, model = bright_or_not()
    model.get_layer(LOGITS).set_weights([np.array([[1.0, -1.0]]), np.array([-5.0, 5.0])])
    images = np.full((1, 8, 12, 1), 200, np.uint8)  # class 1 is said although brightness speaks against it
    assert not heat_maps(model, last_maps(network), images).any()


def test_the_last_maps_are_those_before_the_pooling():
    assert last_maps(make_network("mobilenet_v2", (64, 64, 3), 3, {})) == "c2_activation"
    assert last_maps(make_network("lenet5", (28, 28, 1), 10, {})) is not None
    assert last_maps(make_network("dense", (28, 28, 1), 10, {})) is None


def test_no_image_has_no_heat():
    network, model = bright_or_not()
    assert heat_maps(model, last_maps(network), np.zeros((0, 8, 12, 1), np.uint8)).shape == (0, 8, 12)
