"""The layers that work across maps, against numbers worked out by hand and against TensorFlow's and Keras's own."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from ml.engine.build import make_layer
from ml.engine.maps import ChannelPadding, GroupedConv2D, LocalResponseNormalization
from ml.networks import Node
from ml.networks.layers import Conv2D
from ml.networks.layers import LocalResponseNormalization as LocalResponseNormalizationData

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")


def maps(*shape, scale=100.0, seed=0):
    return np.random.default_rng(seed).normal(0, scale, shape).astype("float32")


# ── local response normalisation ─────────────────────────────────────────────────────────────────────────────


def test_response_normalisation_worked_out_by_hand():
    # Five maps at one place, three in each sum, k = 2, alpha = 1, beta = 1/2:
    #   sums of squares   1+4 = 5    1+4+9 = 14    4+9+16 = 29    9+16+25 = 50    16+25 = 41
    #   divided by        √7         4             √31            √52             √43
    layer = LocalResponseNormalization(size=3, k=2.0, alpha=1.0, beta=0.5)
    out = layer(np.array([1, -2, 3, 4, 5], "float32").reshape(1, 1, 1, 5))
    expected = [1 / 7**0.5, -2 / 4, 3 / 31**0.5, 4 / 52**0.5, 5 / 43**0.5]
    np.testing.assert_allclose(np.ravel(out), expected, rtol=1e-6)


def test_the_papers_values_by_hand_for_one_map():
    # One map of value 200: 2 + 1e-4 · 40,000 = 6, and 6 ** 0.75 = 3.83366
    out = LocalResponseNormalization()(np.full((1, 1, 1, 1), 200, "float32"))
    np.testing.assert_allclose(np.ravel(out), 200 / 3.8336586, rtol=1e-6)


@pytest.mark.parametrize("channels", [1, 3, 5, 96])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"size": 1},
        {"size": 9, "k": 1.0, "alpha": 0.01, "beta": 0.75},
        {"size": 3, "beta": 1.2},
        {"alpha": 0.0},
    ],
)
def test_response_normalisation_and_its_gradient_are_tensorflows(channels, options):
    layer = LocalResponseNormalization(**options)
    x, upstream = tf.constant(maps(2, 4, 3, channels)), tf.constant(maps(2, 4, 3, channels, scale=1.0, seed=1))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        ours = layer(x)
        theirs = tf.nn.local_response_normalization(
            x, depth_radius=layer.size // 2, bias=layer.k, alpha=layer.alpha, beta=layer.beta
        )
    np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-5)
    gradients = [tape.gradient(out, x, output_gradients=upstream) for out in (ours, theirs)]
    np.testing.assert_allclose(*gradients, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_large_activations_of_16_bits_are_squared_without_overflow(dtype):
    layer = LocalResponseNormalization(dtype=dtype)
    out = layer(keras.ops.cast(np.full((1, 1, 1, 8), 300.0), dtype))
    assert keras.backend.standardize_dtype(out.dtype) == dtype
    full = LocalResponseNormalization()(np.full((1, 1, 1, 8), 300.0, "float32"))
    np.testing.assert_allclose(np.asarray(out, "float32"), full, rtol=1e-2)


def test_an_even_size_is_refused():
    with pytest.raises(ValueError, match="odd size"):
        LocalResponseNormalization(size=4)


# ── zeros behind, and groups ─────────────────────────────────────────────────────────────────────────────────


def test_channel_padding_puts_zeros_behind_the_maps():
    x = maps(2, 3, 3, 4)
    out = np.asarray(ChannelPadding(7)(x))
    np.testing.assert_array_equal(out[..., :4], x)
    assert out.shape == (2, 3, 3, 7)
    assert not out[..., 4:].any()


@pytest.mark.parametrize(("strides", "padding"), [((1, 1), "same"), ((2, 1), "valid")])
def test_a_grouped_convolution_and_its_gradient_are_keras_own(strides, padding):
    arguments = {"filters": 6, "kernel_size": (3, 2), "strides": strides, "padding": padding, "groups": 2}
    ours, theirs = GroupedConv2D(**arguments), keras.layers.Conv2D(**arguments)
    x = tf.constant(maps(2, 8, 7, 4, scale=1.0))
    ours.build(x.shape)
    theirs.build(x.shape)
    theirs.set_weights([ours.get_weights()[0], maps(6)])
    ours.set_weights(theirs.get_weights())
    found = []
    for layer in (ours, theirs):
        with tf.GradientTape() as tape:
            out = layer(x)
            loss = tf.reduce_sum(out * out)
        found.append([out, *tape.gradient(loss, layer.trainable_weights)])
    for our, their in zip(*found, strict=True):
        np.testing.assert_allclose(our, their, rtol=1e-4, atol=1e-4 * float(tf.reduce_max(abs(their))))


def test_a_group_sees_nothing_of_the_others():
    layer = make_layer(Node("c", Conv2D(4, 3, groups=2), ("images",)), 0)
    assert isinstance(layer, GroupedConv2D)
    x = maps(1, 5, 5, 4)
    before = np.asarray(layer(x))
    x[..., 2:] += 7
    after = np.asarray(layer(x))
    np.testing.assert_array_equal(before[..., :2], after[..., :2])
    assert (before[..., 2:] != after[..., 2:]).all()


# ── all of them ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "layer",
    [
        LocalResponseNormalization(size=3, k=1.0, alpha=0.5, beta=0.6, name="n"),
        ChannelPadding(9),
        GroupedConv2D(4, 3, groups=2, kernel_initializer=keras.initializers.HeNormal(seed=1)),
    ],
)
def test_our_layers_are_made_again_from_their_configuration(layer):
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    x = maps(2, 6, 5, 4)
    np.testing.assert_array_equal(layer(x), again(x))
    assert layer.compute_output_shape((None, 6, 5, 4)) == (None, *layer(x).shape[1:])
    assert again.get_config() == layer.get_config()


def test_the_defaults_are_the_same_in_the_data_and_in_the_layer():
    built = LocalResponseNormalization().get_config()
    assert all(built[key] == value for key, value in LocalResponseNormalizationData().options().items())


def test_both_kernels_of_a_separable_convolution_draw_numbers_of_their_own():
    from ml.networks.layers import SeparableConv2D

    layer = make_layer(Node("c", SeparableConv2D(3, 1), ("images",)), 0)
    again = make_layer(Node("c", SeparableConv2D(3, 1), ("images",)), 0)
    for made in (layer, again):
        made.build((None, 5, 5, 3))
    for one, other in zip(layer.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    depthwise, pointwise, _ = layer.get_weights()
    assert (depthwise.ravel() != pointwise.ravel()[:3]).all()
