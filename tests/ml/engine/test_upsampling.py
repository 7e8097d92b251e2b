"""The bilinear start of a transposed convolution, and networks on the backbone of a classifier."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from ml.engine.backbone import backbone_layers, groups_of, load_backbone
from ml.engine.build import build_model
from ml.engine.steps import Forward
from ml.engine.upsampling import Bilinear, ramp
from ml.networks import Draft, draw_segmenter, make_network
from ml.networks.layers import Conv2DTranspose
from records.specs import NetworkSpec, parse_spec
from records.specs.finetune import Base

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")


def test_the_kernel_by_hand():
    assert ramp(4).tolist() == [0.25, 0.75, 0.75, 0.25]
    assert ramp(3).tolist() == [0.5, 1.0, 0.5]
    kernel = np.asarray(Bilinear()((4, 3, 2, 2)))
    np.testing.assert_array_equal(kernel[:, :, 1, 1], np.outer(ramp(4), ramp(3)))
    assert not kernel[:, :, 0, 1].any()


def test_a_transposed_convolution_begins_as_an_interpolation():
    draft = Draft("up", (6, 7, 2))
    draft.add("up", Conv2DTranspose(2, 4, strides=2, padding="same", kernel_initializer="bilinear"))
    maps = np.random.default_rng(0).random((1, 6, 7, 2)).astype(np.float32)
    told = np.asarray(build_model(draft.finish(), seed=0)(maps))
    expected = tf.image.resize(maps, (12, 14)).numpy()
    np.testing.assert_allclose(told[:, 1:-1, 1:-1], expected[:, 1:-1, 1:-1], atol=1e-6)  # at the edges zeros come in


def test_it_is_saved_and_read_again(tmp_path):
    draft = Draft("up", (6, 7, 2))
    draft.add("up", Conv2DTranspose(2, 4, strides=2, kernel_initializer="bilinear"))
    build_model(draft.finish(), seed=0).save(tmp_path / "model.keras")
    assert isinstance(keras.models.load_model(tmp_path / "model.keras").get_layer("up").kernel_initializer, Bilinear)


@pytest.fixture(scope="module")
def classifier():
    return make_network("resnet18", (64, 64, 3), 5, {"width": 0.125})


def network_on(classifier, name="unet", **options):
    return draw_segmenter(NetworkSpec(name=name, options=options), (32, 64, 3), 3, classifier)


@pytest.mark.parametrize(("name", "options"), [("unet", {"filters": 4}), ("deeplab_v3plus", {"filters": 8})])
def test_a_network_takes_the_numbers_of_its_backbone_and_keeps_its_own(classifier, tmp_path, name, options):
    trained = build_model(classifier, seed=5)
    trained.save_weights(tmp_path / "best.weights.h5")
    network = network_on(classifier, name, **options)
    model, fresh = build_model(network, seed=1), build_model(network, seed=1)
    load_backbone(model, Base(job=7), classifier, tmp_path / "best.weights.h5")
    taken = set(backbone_layers(classifier))
    assert "c1" in taken
    assert "logits" not in taken
    for layer in model.layers:
        expected = trained if layer.name in taken else fresh
        for one, other in zip(layer.get_weights(), expected.get_layer(layer.name).get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_backbone_that_has_learned_learns_on_at_its_own_rate(classifier):
    spec = parse_spec({"kind": "segment", "dataset": "x", "base": {"job": 7}, "backbone_rate": 0.1})
    model = build_model(network_on(classifier, filters=4), seed=1)
    below, above = groups_of(spec, model, Forward(model), classifier)
    assert (below.share, above.share) == (0.1, 1.0)
    assert len(below.variables) + len(above.variables) == len(model.trainable_variables)
    assert model.get_layer("c1").trainable_variables[0] is below.variables[0]


def test_a_spread_window_sees_what_the_smaller_maps_saw():
    """An atrous backbone says of every second place what the plain one says of its smaller maps, away from edges."""
    from ml.networks.backbones import body_of, make_atrous

    plain = body_of(make_network("mobilenet_v2", (224, 224, 3), 2, {"alpha": 0.1}), (224, 224, 3))
    atrous = make_atrous(plain, 16)
    one, other = build_model(plain, seed=2), build_model(atrous, seed=2)
    other.set_weights(one.get_weights())
    images = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3)).astype(np.float32)
    name = "s6_1_depthwise"  # the first layer that no longer makes maps smaller
    small, large = (np.asarray(keras.Model(m.input, m.get_layer(name).output)(images)) for m in (one, other))
    assert (small.shape[1], large.shape[1]) == (7, 14)
    # `same` pads a stride of 2 below and right on even sides, so its windows begin one place later.
    np.testing.assert_allclose(large[:, 1::2, 1::2], small, atol=1e-4)
