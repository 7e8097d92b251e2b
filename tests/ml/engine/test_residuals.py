"""The layers at the end of a block, and channels in another order, against numbers worked out by hand."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from ml.engine.build import make_layer
from ml.engine.maps import ChannelOrder
from ml.engine.residuals import LayerScale, StochasticDepth
from ml.networks import Node
from ml.networks.layers import Activation, LayerNormalization
from ml.networks.layers import LayerScale as LayerScaleData
from ml.networks.layers import StochasticDepth as StochasticDepthData

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")


def maps(*shape, seed=0):
    return np.random.default_rng(seed).normal(0, 2, shape).astype("float32")


def test_a_layer_scale_begins_small_and_is_trained_for_each_channel():
    layer = make_layer(Node("s", LayerScaleData(0.5), ("images",)), 0)
    x = tf.constant(maps(2, 3, 4, 5))
    with tf.GradientTape() as tape:
        out = layer(x)
        loss = tf.reduce_sum(out)
    np.testing.assert_allclose(out, 0.5 * x, rtol=1e-6)
    (gradient,) = tape.gradient(loss, layer.trainable_weights)
    np.testing.assert_allclose(gradient, np.sum(x, axis=(0, 1, 2)), rtol=1e-4)


def test_in_training_whole_images_are_left_out_and_the_others_scaled_up():
    layer = make_layer(Node("d", StochasticDepthData(0.5), ("images",)), 3)
    out = np.asarray(layer(np.ones((400, 2, 3, 4), "float32"), training=True))
    images = out.reshape(400, -1)
    assert (images == images[:, :1]).all()
    assert set(np.unique(out)) == {0.0, 2.0}
    assert 0.35 < (images[:, 0] == 0).mean() < 0.65


def test_in_use_no_image_is_left_out():
    x = maps(3, 2, 2, 2)
    np.testing.assert_array_equal(StochasticDepth(0.9)(x, training=False), x)


def test_equal_seeds_leave_out_equal_images_and_others_do_not():
    node = Node("d", StochasticDepthData(0.5), ("images",))
    drawn = [np.asarray(make_layer(node, seed)(np.ones((64, 1, 1, 1)), training=True)) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0] != drawn[2]).any()


def test_channels_are_turned_around_and_so_is_their_gradient():
    x = tf.constant(maps(2, 3, 4, 3))
    with tf.GradientTape() as tape:
        tape.watch(x)
        out = ChannelOrder((2, 0, 1))(x)
        loss = tf.reduce_sum(out * tf.constant([1.0, 10.0, 100.0]))
    np.testing.assert_array_equal(out, np.asarray(x)[..., [2, 0, 1]])
    np.testing.assert_array_equal(tape.gradient(loss, x)[0, 0, 0], [10.0, 100.0, 1.0])


@pytest.mark.parametrize(
    ("name", "values"),
    [("hard_sigmoid", [0, 0, 1 / 3, 0.5, 1, 1]), ("hard_silu", [0, 0, -1 / 3, 0, 3, 9])],
)
def test_the_hard_activations_worked_out_by_hand(name, values):
    # relu6(x + 3) / 6, and x times that
    layer = make_layer(Node("a", Activation(name), ("images",)), 0)
    np.testing.assert_allclose(layer(np.array([-9.0, -3, -1, 0, 3, 9], "float32")), values, rtol=1e-6)


def test_a_layer_norm_takes_each_place_by_itself():
    layer = make_layer(Node("n", LayerNormalization(1e-6), ("images",)), 0)
    out = np.asarray(layer(maps(2, 3, 3, 64)))
    np.testing.assert_allclose(out.mean(axis=-1), 0, atol=1e-5)
    np.testing.assert_allclose(out.std(axis=-1), 1, rtol=1e-4)


@pytest.mark.parametrize(
    "layer", [LayerScale(0.25, name="s"), StochasticDepth(0.3, seed=4, name="d"), ChannelOrder((1, 2, 3, 0))]
)
def test_our_layers_are_made_again_from_their_configuration(layer):
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    x = maps(2, 6, 5, 4)
    np.testing.assert_array_equal(layer(x), again(x))
    assert layer.compute_output_shape((None, 6, 5, 4)) == (None, 6, 5, 4)
    assert again.get_config() == layer.get_config()


def test_a_stochastic_depth_that_was_made_again_draws_as_the_first():
    first = StochasticDepth(0.5, seed=4)
    again = keras.layers.deserialize(keras.layers.serialize(first))
    drawn = [np.asarray(layer(np.ones((64, 1, 1, 1)), training=True)) for layer in (first, again)]
    np.testing.assert_array_equal(*drawn)
