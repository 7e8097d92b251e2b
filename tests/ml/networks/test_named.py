"""The networks that have a name, and what is said to somebody who misnames one."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from ml.networks import LOGITS, NETWORKS, PROBABILITIES, Network, NetworkError, make_network

MNIST = ((28, 28, 1), 10)


def images_for(name):
    """A height and width, not equal, that the network takes with its default options."""
    return (68, 65, 3) if NETWORKS[name].input_shape[0] >= 224 else (40, 33, 3)


@pytest.mark.parametrize("module", ["ml.networks", "ml.kinds"])
def test_networks_are_described_without_loading_keras_tensorflow_or_numpy(module):
    code = f"""
import sys, {module}
from ml.networks import make_network
make_network("lenet5", (28, 28, 1), 10, {{}}).table
print(*sorted({{"keras", "tensorflow", "numpy"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_classic_lenet5_has_the_parameters_of_the_paper_layer_by_layer():
    table = make_network("lenet5", *MNIST, {"variant": "classic"}).table
    counted = {row.name: row.parameters for row in table if row.parameters}
    assert counted == {"c1": 156, "s2": 12, "c3": 1516, "s4": 32, "c5": 48_120, "f6": 10_164, "logits": 84 * 10 + 10}


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 1)])
def test_classic_lenet5_has_the_maps_of_the_paper_for_padded_and_for_full_images(shape):
    shapes = make_network("lenet5", shape, 10, {"variant": "classic"}).output_shapes
    assert [shapes[name] for name in ("c1", "s2", "c3", "s4", "c5", "f6")] == [
        (28, 28, 6),
        (14, 14, 6),
        (10, 10, 16),
        (5, 5, 16),
        (1, 1, 120),
        (84,),
    ]


def test_each_map_of_s2_feeds_ten_maps_of_c3_as_in_table_1():
    layers = {node.name: node.layer for node in make_network("lenet5", *MNIST, {"variant": "classic"}).layers}
    connections = layers["c3"].connections
    assert [sum(seen in maps for maps in connections) for seen in range(6)] == [10] * 6
    assert [len(maps) for maps in connections] == [3] * 6 + [4] * 9 + [6]


def test_modern_lenet5_counts_as_everybody_counts_it():
    network = make_network("lenet5", *MNIST, {})
    assert network.parameters == network.trainable_parameters == 61_706
    by_name = {row.name: row.multiply_adds for row in network.table}
    assert by_name["c1"] == 28 * 28 * 25 * 6
    assert by_name["c3"] == 10 * 10 * 25 * 6 * 16


def test_a_dense_network_counts_its_hidden_layers():
    network = make_network("dense", *MNIST, {"hidden": [100, 50]})
    assert network.parameters == 784 * 100 + 100 + 100 * 50 + 50 + 50 * 10 + 10


def test_a_dense_network_without_hidden_layers_is_linear():
    assert make_network("dense", *MNIST, {"hidden": []}).parameters == 7850


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_ends_with_logits_and_probabilities(name):
    for classes in (2, 37):
        network = make_network(name, images_for(name), classes, {})
        assert [node.name for node in network.layers[-2:]] == [LOGITS, PROBABILITIES]
        assert network.output_shapes[LOGITS] == (classes,) == (network.classes,)
        assert network.layers[0].layer.type == "Rescaling"


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_survives_json(name):
    network = make_network(name, images_for(name), 10, {})
    assert Network.from_json(json.loads(json.dumps(network.to_json()))) == network


@pytest.mark.parametrize("name", NETWORKS)
def test_every_option_is_described_and_its_default_and_choices_are_taken(name):
    described = NETWORKS[name].describe_options()
    json.dumps(described)
    for option in described:
        assert option["doc"].endswith(".")
        for value in option["choices"] or [option["default"]]:
            assert make_network(name, images_for(name), 10, {option["name"]: value})


def test_the_options_of_lenet5_are_described():
    described = {option["name"]: option for option in NETWORKS["lenet5"].describe_options()}
    assert described["variant"]["choices"] == ["modern", "classic"]
    assert described["variant"]["default"] == "modern"
    assert (described["dropout"]["type"], described["dropout"]["maximum"]) == ("number", 0.9)
    assert NETWORKS["dense"].describe_options()[0]["type"] == "array of integer"


@pytest.mark.parametrize(
    ("name", "options", "path", "text"),
    [
        ("lenet", {}, "network.name", "Did you mean lenet5"),
        ("", {}, "network.name", "Known: alexnet, convnext_tiny, dense, "),
        ("lenet5", {"activaton": "relu"}, "network.options.activaton", "Did you mean activation"),
        ("lenet5", {"activation": "sigmoid"}, "network.options.activation", "'relu'"),
        ("lenet5", {"activation": "rellu"}, "network.options.activation", "Did you mean relu"),
        ("lenet5", {"dropout": 0.95}, "network.options.dropout", "less than or equal to 0.9"),
        ("lenet5", {"dropout": "0.5"}, "network.options.dropout", 'got "0.5"'),
        ("lenet5", {"dropout": True}, "network.options.dropout", "got true"),
        ("lenet5", {"dropout": float("nan")}, "network.options.dropout", "finite"),
        ("dense", {"hidden": (100, 0)}, "network.options.hidden.1", "greater than or equal to 1"),
        ("dense", {"hidden": (1,) * 21}, "network.options.hidden", "at most 20"),
        ("dense", {"hidden": 100}, "network.options.hidden", "array"),
        ("simple_cnn", {"kernel": 4}, "network.options.kernel", "Expected one of 3, 5, 7, got 4."),
        ("simple_cnn", {"kernel": "5"}, "network.options.kernel", 'got "5". Did you mean 5'),
    ],
)
def test_what_is_wrong_is_said_at_its_place(name, options, path, text):
    with pytest.raises(NetworkError) as caught:
        make_network(name, *MNIST, options)
    assert caught.value.path == path
    assert text in caught.value.text


@pytest.mark.parametrize(
    ("name", "options", "smallest"),
    [
        ("lenet5", {"variant": "modern"}, 12),
        ("lenet5", {"variant": "classic"}, 28),
        ("plain_cnn", {"filters": [8] * 5}, 16),
        ("simple_cnn", {}, 21),
        ("simple_cnn", {"kernel": 7}, 25),
        ("alexnet", {}, 64),
        ("alexnet", {"stem": "cifar"}, 15),
        ("googlenet", {}, 65),
        ("googlenet", {"stem": "cifar"}, 9),
        ("xception", {}, 7),
        ("vgg16", {}, 32),
        ("vgg19", {"stem": "cifar"}, 16),
        ("squeezenet", {}, 31),
        ("squeezenet", {"stem": "cifar"}, 7),
        ("convnext_tiny", {}, 32),
        ("convnext_tiny", {"patch": 2}, 16),
    ],
)
def test_the_smallest_image_that_works_is_named_and_does_work(name, options, smallest):
    with pytest.raises(NetworkError) as caught:
        make_network(name, (smallest - 1, 300, 1), 10, options)
    assert caught.value.path == "network.name"
    assert f"at least {smallest} x {smallest} px" in caught.value.text
    assert f"got {smallest - 1} x 300 px" in caught.value.text
    assert make_network(name, (smallest, smallest, 1), 10, options)


PADDING = ("resnet", "se_inception", "mobilenet", "efficientnet")


@pytest.mark.parametrize("name", [name for name in NETWORKS if any(part in name for part in PADDING)])
def test_networks_that_pad_take_an_image_of_one_pixel(name):
    assert make_network(name, (1, 1, 1), 2, {}).classes == 2


def test_one_class_is_nothing_to_tell_apart():
    with pytest.raises(NetworkError, match="at least 2 classes"):
        make_network("dense", (28, 28, 1), 1, {})


def test_images_need_three_axes():
    with pytest.raises(NetworkError, match="height, width, channels"):
        make_network("dense", (28, 28), 10, {})


def test_the_choices_of_an_option_that_is_a_union_are_all_named():
    (downsampling,) = (o for o in NETWORKS["lenet5"].describe_options() if o["name"] == "downsampling")
    assert downsampling["choices"] == ["auto", "max_pooling", "average_pooling", "convolution"]
    for network in NETWORKS.values():
        for option in network.describe_options():
            assert option["type"] != "string" or option["choices"], option["name"]


@pytest.mark.parametrize("value", ["max_poling", 3])
def test_a_value_that_an_option_does_not_have_is_told_with_those_that_it_has(value):
    with pytest.raises(NetworkError, match="Expected one of 'auto', 'max_pooling', ") as raised:
        make_network("lenet5", *MNIST, {"downsampling": value})
    assert raised.value.path == "network.options.downsampling"
