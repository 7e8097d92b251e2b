"""Dense layers that become convolutions, as data."""

from __future__ import annotations

import pytest

from ml.networks import Draft, InputTooSmall, NetworkError, make_network
from ml.networks.convolutional import convolutionalise
from ml.networks.layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalMaxPooling2D,
    MaxPooling2D,
)


def layers(network):
    return {node.name: node.layer for node in network.layers}


def test_lenet_becomes_the_convolutions_that_its_paper_says_it_already_has():
    converted = convolutionalise(make_network("lenet5", (32, 32, 1), 10, {}), (64, 48, 1))
    made = layers(converted.network)
    assert made["c5"] == Conv2D(120, (5, 5), kernel_initializer="he_normal")
    assert made["f6"] == Conv2D(84, (1, 1), kernel_initializer="he_normal")
    assert "flatten" not in made
    assert converted.kernels == {"c5": (5, 5, 16, 120), "f6": (1, 1, 120, 84), "logits": (1, 1, 84, 10)}
    # Maps of 64 x 48: 60 x 44, 30 x 22, 26 x 18, 13 x 9; a window of 5 x 5 has 9 x 5 places there.
    assert (converted.places, converted.stride, converted.window) == ((9, 5), (4, 4), (32, 32))
    assert converted.padded == ()


@pytest.mark.parametrize(
    ("name", "shape", "kernel"),
    [
        ("alexnet", (224, 224, 3), ("f6", (6, 6, 256, 4096))),
        ("dense", (28, 28, 1), ("hidden_1", (28, 28, 1, 512))),
        ("resnet34", (224, 224, 3), ("logits", (1, 1, 512, 10))),
        ("googlenet", (224, 224, 3), ("logits", (1, 1, 1024, 10))),
        ("xception", (299, 299, 3), ("logits", (1, 1, 2048, 10))),
    ],
)
def test_a_network_keeps_its_parameters_and_has_one_place_at_its_own_size(name, shape, kernel):
    network = make_network(name, shape, 10, {})
    converted = convolutionalise(network, shape)
    assert converted.network.parameters == network.main.parameters
    assert converted.network.output_shape == (1, 1, 10)
    assert kernel in converted.kernels.items()


def test_a_mean_over_whole_maps_becomes_one_over_the_window_or_falls_away():
    network = make_network("resnet20", (32, 32, 3), 10, {})
    kept = convolutionalise(network, (64, 64, 3))
    assert layers(kept.network)["pool"] == AveragePooling2D((8, 8), strides=(1, 1))
    assert kept.places == (9, 9)
    dropped = convolutionalise(network, (64, 64, 3), global_pooling="drop")
    assert "pool" not in layers(dropped.network)
    assert dropped.places == (16, 16)
    assert "c1" in kept.padded


def test_a_largest_value_over_whole_maps_stays_one_over_the_window_whatever_becomes_of_means():
    draft = Draft("max", (16, 16, 3))
    draft.add("conv", Conv2D(4, 3))
    draft.add("pool", GlobalMaxPooling2D())
    draft.add("logits", Dense(2))
    converted = convolutionalise(draft.finish(), (20, 20, 3), global_pooling="drop")
    assert layers(converted.network)["pool"] == MaxPooling2D((14, 14), strides=(1, 1))
    assert converted.places == (5, 5)


def test_what_treats_every_value_alike_may_stand_between_flattening_and_dense_layer():
    draft = Draft("between", (16, 16, 1))
    draft.add("flatten", Flatten())
    draft.add("dropout", Dropout(0.5))
    draft.add("squash", Activation("tanh"))
    draft.add("again", Flatten())
    draft.add("logits", Dense(3))
    converted = convolutionalise(draft.finish(), (18, 17, 1))
    assert converted.kernels == {"logits": (16, 16, 1, 3)}
    assert converted.places == (3, 2)


def test_a_norm_of_flattened_values_cannot_be_slid():
    draft = Draft("norm", (16, 16, 1))
    draft.add("flatten", Flatten())
    draft.add("norm", BatchNormalization())
    draft.add("logits", Dense(3))
    with pytest.raises(NetworkError, match=r"'norm'.*normalises flattened values place by place"):
        convolutionalise(draft.finish(), (32, 32, 1))


def test_squeeze_and_excitation_looks_at_the_whole_image_and_is_refused():
    with pytest.raises(NetworkError, match=r"'s2_1_se_gates_of_maps' \(Reshape\) cannot be made convolutional"):
        convolutionalise(make_network("se_resnet18", (64, 64, 3), 10, {}), (128, 128, 3))


def test_a_network_without_dense_layers_has_nothing_to_convert():
    draft = Draft("already", (16, 16, 1))
    draft.add("logits", Conv2D(3, 16))
    with pytest.raises(NetworkError, match="neither"):
        convolutionalise(draft.finish(), (32, 32, 1))


def test_images_below_the_classifiers_are_too_small():
    with pytest.raises(InputTooSmall, match="window"):
        convolutionalise(make_network("lenet5", (32, 32, 1), 10, {}), (30, 30, 1))
