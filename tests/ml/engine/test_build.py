"""Built models against their description, and Trainyard's own layers against numbers worked out by hand."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml.engine.build import build_model, derive_seed, main_model
from ml.engine.layers import LeCun1998, PartialConv2D, TrainableSubsampling2D, scaled_tanh
from ml.networks import NETWORKS as ALL
from ml.networks import Draft, make_network
from ml.networks.layers import (
    Activation,
    Add,
    AveragePooling2D,
    BatchNormalization,
    ChannelOrder,
    ChannelPadding,
    Concatenate,
    Conv2D,
    Conv2DTranspose,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    LayerNormalization,
    LayerScale,
    LocalResponseNormalization,
    MaxPooling2D,
    Multiply,
    Rescaling,
    Reshape,
    SeparableConv2D,
    StochasticDepth,
    UpSampling2D,
    ZeroPadding2D,
)
from ml.networks.layers import PartialConv2D as PartialConv2DData
from ml.networks.layers import TrainableSubsampling2D as TrainableSubsampling2DData
from tests.ml.small_networks import DEEP, QUICK, SMALL

# Keras reads TensorFlow's variables in a way that numpy 2 will give up; it is theirs to change.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

NETWORKS = [
    ("lenet5", {}),
    ("lenet5", {"activation": "gelu", "dropout": 0.5}),
    ("lenet5", {"variant": "classic"}),
    ("dense", {}),
    ("dense", {"hidden": (7,), "dropout": 0.0}),
]


def images(shape, number=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (number, *shape), dtype=np.uint8)


def assert_as_described(model, network):
    """Every layer has its name, shape and parameters, those of auxiliary heads too."""
    assert model.count_params() == network.parameters
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert trainable == network.trainable_parameters
    for row in network.table:
        layer = model.get_layer(row.name)
        assert tuple(layer.output.shape[1:]) == row.output_shape, row.name
        assert layer.count_params() == row.parameters, row.name


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (47, 36, 3)])
@pytest.mark.parametrize(("name", "options"), NETWORKS)
def test_a_built_model_has_the_shapes_and_parameters_of_its_description(name, options, shape):
    network = make_network(name, shape, 5, options)
    assert_as_described(build_model(network, seed=1), network)


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (47, 36, 3)])
@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in DEEP)])
def test_every_network_is_built_as_it_is_described(name, shape):
    network = make_network(name, shape, 5, SMALL[name])
    assert_as_described(build_model(network, seed=1), network)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_every_network_is_built_as_it_is_described_at_full_size(name):
    network = make_network(name, ALL[name].input_shape, ALL[name].classes, {})
    assert_as_described(build_model(network, seed=1), network)
    keras.backend.clear_session()


def test_a_model_without_its_heads_shares_what_is_left():
    network = make_network("googlenet", (28, 28, 1), 5, SMALL["googlenet"])
    model = build_model(network, seed=1)
    main = main_model(model)
    assert [tuple(output.shape) for output in model.outputs] == [(None, 5)] * 3
    assert_as_described(main, network.main)
    assert {id(weight) for weight in main.weights} < {id(weight) for weight in model.weights}
    raw = images((28, 28, 1))
    np.testing.assert_array_equal(main(raw), model(raw)[0])


# ── any graph ────────────────────────────────────────────────────────────────────────────────────────────────

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
paddings = st.sampled_from(["same", "valid"])
pools = st.sampled_from([MaxPooling2D, AveragePooling2D])
steps = st.one_of(
    st.builds(Conv2D, st.integers(1, 4), pairs, pairs, paddings, st.booleans()),
    st.builds(lambda cls, *arguments: cls(*arguments), pools, pairs, st.none() | pairs, paddings),
    st.builds(TrainableSubsampling2DData, pairs),
    st.builds(PartialConv2DData, st.just(((0,), (0,))), pairs, pairs, paddings),
    st.just(BatchNormalization()),
    st.builds(Activation, st.sampled_from(["relu", "scaled_tanh", "silu", "hard_silu", "hard_sigmoid"])),
    st.builds(Dropout, st.floats(0, 0.9)),
    st.builds(StochasticDepth, st.floats(0, 0.9)),
    st.just(LayerNormalization()),
    st.builds(LayerScale, st.floats(1e-6, 1)),
    st.builds(DepthwiseConv2D, st.integers(1, 3), st.integers(1, 2), paddings, st.integers(1, 2), st.booleans()),
    st.builds(SeparableConv2D, st.integers(1, 4), pairs, st.integers(1, 2), paddings, st.integers(1, 2)),
    st.builds(Conv2D, st.integers(1, 4), pairs, padding=paddings, dilation_rate=pairs),
    st.builds(Conv2DTranspose, st.integers(1, 4), pairs, pairs, paddings, st.booleans()),
    st.builds(UpSampling2D, st.tuples(st.integers(1, 2), st.integers(1, 2)), st.sampled_from(["nearest", "bilinear"])),
    st.builds(ZeroPadding2D, st.integers(0, 2) | st.tuples(pairs, pairs)),
    st.builds(LocalResponseNormalization, st.sampled_from([1, 3, 5])),
)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    chain=st.lists(steps, min_size=1, max_size=4),
    ending=st.sampled_from([Flatten, GlobalAveragePooling2D, GlobalMaxPooling2D]),
)
def test_any_graph_is_built_as_it_is_described(chain, ending):
    draft = Draft("any", (97, 90, 2))
    draft.add("rescaling", Rescaling((1 / 255, 1 / 128), (0.0, -1.0)))
    last = draft.add("order", ChannelOrder((1, 0)))
    for number, layer in enumerate(chain):
        last = draft.add(f"step_{number}", layer)
    normed = draft.add("normed", BatchNormalization(), after=last)
    joined = draft.add("joined", Concatenate(), after=(last, normed))
    squashed = draft.add("squashed", Activation("tanh"), after=joined)
    total = draft.add("sum", Add(), after=(joined, squashed))
    gates = draft.add("gates", GlobalAveragePooling2D(keepdims=True))
    draft.add("padded", ChannelPadding(1000))
    draft.add("grouped", Conv2D(6, 1, groups=2))
    draft.add("values", Reshape((6,)))
    draft.add("small", Dense(1))
    gate = draft.add("gate", Reshape((1, 1, 1)))
    draft.add("gated", Multiply(), after=(total, gates, gate))
    draft.add("ending", ending())
    draft.add("logits", Dense(3))
    network = draft.finish()
    assert_as_described(build_model(network, seed=0), network)


# ── inputs and outputs ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("name", "options"), NETWORKS)
def test_raw_images_go_in_and_probabilities_come_out(name, options):
    model = build_model(make_network(name, (28, 28, 1), 4, options), seed=1)
    raw = images((28, 28, 1))
    probabilities = np.asarray(model(raw))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(probabilities, model(raw.astype("float32")))
    logits = keras.Model(model.input, model.get_layer("logits").output)(raw)
    np.testing.assert_allclose(keras.ops.softmax(logits), probabilities, rtol=1e-6)


def test_pixels_reach_modern_layers_as_0_to_1_and_classic_ones_in_the_papers_range():
    ends = np.array([0, 255], np.uint8).reshape(2, 1, 1, 1) * np.ones((1, 28, 28, 1), np.uint8)
    for options, low, high in (({}, 0.0, 1.0), ({"variant": "classic"}, -0.1, 1.175)):
        model = build_model(make_network("lenet5", (28, 28, 1), 10, options), seed=0)
        scaled = np.asarray(model.get_layer("rescaling")(ends))
        np.testing.assert_allclose([scaled.min(), scaled.max()], [low, high], atol=1e-6)


def test_with_16_bit_floats_the_logits_and_probabilities_stay_full():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build_model(make_network("lenet5", (28, 28, 1), 10, {"variant": "classic"}), seed=0)
    finally:
        keras.config.set_dtype_policy(before)
    assert model.get_layer("c3").compute_dtype == "bfloat16"
    assert model.get_layer("logits").compute_dtype == "float32"
    assert model(images((28, 28, 1))).dtype == "float32"


# ── seeds ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("name", "options"), NETWORKS)
def test_equal_seeds_give_equal_weights_and_others_do_not(name, options):
    network = make_network(name, (28, 28, 1), 10, options)
    first, again, other = (build_model(network, seed=seed).get_weights() for seed in (5, 5, 6))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    kernels = [(a, b) for a, b in zip(first, other, strict=True) if a.ndim > 1]
    assert kernels
    assert all((a != b).any() for a, b in kernels)


def test_the_random_state_around_does_not_change_the_weights():
    network = make_network("lenet5", (28, 28, 1), 10, {"dropout": 0.5})
    first = build_model(network, seed=5)
    keras.utils.set_random_seed(99)
    keras.random.normal((3,))
    for a, b in zip(first.get_weights(), build_model(network, seed=5).get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_layers_of_one_shape_draw_different_weights():
    model = build_model(make_network("dense", (4, 4, 1), 10, {"hidden": (16, 16, 16)}), seed=0)
    first, second = (model.get_layer(name).get_weights()[0] for name in ("hidden_2", "hidden_3"))
    assert (first != second).mean() > 0.9


def test_one_layer_more_leaves_the_others_as_they_were():
    plain, dropped = (
        build_model(make_network("lenet5", (28, 28, 1), 10, {"dropout": rate}), seed=3) for rate in (0.0, 0.5)
    )
    for a, b in zip(plain.get_weights(), dropped.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_dropout_draws_from_the_seed():
    network = make_network("dense", (4, 4, 1), 3, {"hidden": (64,), "dropout": 0.5})
    raw = images((4, 4, 1))
    first, again, other = (np.asarray(build_model(network, seed=s)(raw, training=True)) for s in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_derived_seed_is_known_and_fits_31_bits():
    # sha256("0/c1") begins with these four bytes; half of them is the seed
    import hashlib

    expected = int(hashlib.sha256(b"0/c1").hexdigest()[:8], 16) // 2
    assert derive_seed(0, "c1") == expected < 2**31


# ── layers of our own ────────────────────────────────────────────────────────────────────────────────────────


def test_the_scaled_tanh_is_close_to_one_at_one():
    np.testing.assert_allclose(scaled_tanh(np.array([-1.0, 0.0, 1.0, 50.0], "float32")), [-1, 0, 1, 1.7159], atol=1e-4)


def test_subsampling_is_mean_times_coefficient_plus_bias():
    layer = TrainableSubsampling2D((2, 2))
    maps = np.zeros((1, 3, 4, 2), "float32")
    maps[0, :2, :, 0] = [[1, 2, 10, 20], [3, 4, 30, 40]]
    maps[0, :2, :, 1] = 8
    maps[0, 2] = 1000  # the odd last row falls away
    layer.build(maps.shape)
    layer.set_weights([np.array([2, -1], "float32"), np.array([0.5, 3], "float32")])
    out = np.asarray(layer(maps))
    np.testing.assert_allclose(out[0, 0, :, 0], [2.5 * 2 + 0.5, 25 * 2 + 0.5])
    np.testing.assert_allclose(out[0, 0, :, 1], [-5, -5])
    assert out.shape == (1, 1, 2, 2)


@pytest.mark.parametrize(
    "layer",
    [
        TrainableSubsampling2D((3, 1), name="s"),
        PartialConv2D(((0, 1), (1,)), (3, 2), strides=(2, 1), padding="same", kernel_initializer=LeCun1998(seed=4)),
    ],
)
def test_our_layers_are_made_again_from_their_configuration(layer):
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    maps = images((9, 8, 2)).astype("float32")
    np.testing.assert_array_equal(layer(maps), again(maps))
    assert layer.compute_output_shape((None, 9, 8, 2)) == (None, *layer(maps).shape[1:])


def test_output_maps_with_as_many_connections_draw_different_weights():
    layer = PartialConv2D(((0, 1), (0, 1)), (5, 5), kernel_initializer=LeCun1998(seed=1))
    layer.build((None, 9, 9, 2))
    kernel = layer.get_weights()[0]
    assert (kernel[..., :2] != kernel[..., 2:]).all()


def test_subsampling_begins_as_average_pooling():
    maps = images((6, 6, 3)).astype("float32")
    np.testing.assert_allclose(TrainableSubsampling2D((2, 2))(maps), keras.layers.AveragePooling2D(2)(maps), rtol=1e-6)


def test_a_partial_convolution_worked_out_by_hand():
    layer = PartialConv2D(((0, 2), (1,)), (1, 2))
    maps = np.array([[[[1, 10, 100], [2, 20, 200], [3, 30, 300]]]], "float32")
    layer.build(maps.shape)
    # slices: map 0 → output 0, map 2 → output 0, map 1 → output 1
    kernel = np.array([[[1, 2, 3], [4, 5, 6]]], "float32")
    layer.set_weights([kernel, np.array([0.5, -1], "float32")])
    out = np.asarray(layer(maps))
    first = [1 * 1 + 2 * 4 + 100 * 2 + 200 * 5 + 0.5, 2 * 1 + 3 * 4 + 200 * 2 + 300 * 5 + 0.5]
    second = [10 * 3 + 20 * 6 - 1, 20 * 3 + 30 * 6 - 1]
    np.testing.assert_allclose(out[0, 0], np.transpose([first, second]))


def test_a_partial_convolution_with_all_connections_is_a_plain_one():
    maps = images((7, 8, 2)).astype("float32")
    plain = keras.layers.Conv2D(3, 3, strides=2, padding="same")
    plain.build(maps.shape)
    partial = PartialConv2D(((0, 1),) * 3, (3, 3), strides=(2, 2), padding="same")
    partial.build(maps.shape)
    kernel, bias = plain.get_weights()
    partial.set_weights([kernel.transpose(0, 1, 3, 2).reshape(3, 3, 6), bias + 1])
    np.testing.assert_allclose(partial(maps), plain(maps) + 1, rtol=1e-4, atol=1e-3)


def test_maps_that_are_not_connected_have_no_influence():
    layer = PartialConv2D(((0,), (1,)), (3, 3), kernel_initializer="ones")
    maps = images((5, 5, 2)).astype("float32")
    before = np.asarray(layer(maps))
    maps[..., 1] += 7
    after = np.asarray(layer(maps))
    np.testing.assert_array_equal(before[..., 0], after[..., 0])
    assert (before[..., 1] != after[..., 1]).all()


def test_the_initial_weights_of_1998_lie_within_their_range_by_fan_in():
    drawn = np.asarray(LeCun1998(seed=1)((5, 5, 6, 400)))
    assert 0.98 < np.abs(drawn).max() / (2.4 / 150) <= 1
    layer = PartialConv2D(((0,), (0, 1, 2, 3)), (10, 10), kernel_initializer=LeCun1998(seed=1))
    layer.build((None, 20, 20, 4))
    kernel = np.abs(layer.get_weights()[0])
    assert 0.9 < kernel[..., 0].max() / (2.4 / 100) <= 1
    assert 0.9 < kernel[..., 1:].max() / (2.4 / 400) <= 1


@pytest.mark.parametrize(("name", "options"), NETWORKS)
def test_a_saved_model_comes_back_with_the_same_probabilities(name, options, tmp_path):
    model = build_model(make_network(name, (28, 28, 1), 10, options), seed=2)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    raw = images((28, 28, 1))
    np.testing.assert_array_equal(model(raw), again(raw))
    for layer in model.layers:
        assert again.get_layer(layer.name).get_config() == layer.get_config()


def test_classic_lenet5_learns():
    rng = np.random.default_rng(0)
    labels = np.arange(64) % 2
    raw = rng.integers(0, 60, (64, 28, 28, 1)).astype("uint8")
    raw[labels == 1, 4:14] += 190
    model = build_model(make_network("lenet5", (28, 28, 1), 2, {"variant": "classic"}), seed=0)
    model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    before = {weight.path: np.array(weight) for weight in model.trainable_weights}
    losses = model.fit(raw, labels, batch_size=32, epochs=6, verbose=0, shuffle=False).history["loss"]
    assert losses[-1] < losses[0] / 2
    assert all((np.array(weight) != before[weight.path]).any() for weight in model.trainable_weights)
