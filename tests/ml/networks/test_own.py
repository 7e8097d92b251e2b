"""Networks that people describe layer by layer: what they become, and what is said of those that are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.kinds import inspect
from ml.networks import Network, NetworkError, draw_network
from ml.networks.layers import LAYERS
from ml.networks.own import MOST_ACTIVATIONS, MOST_PARAMETERS
from ml.networks.own_layers import WITH_ACTIVATION, argument_names
from records.errors import InvalidSpec
from records.specs import NetworkSpec, parse_as, parse_spec

CONV: dict[str, Any] = {"type": "Conv2D", "filters": 4, "kernel_size": 3}
FLATTEN: dict[str, Any] = {"type": "Flatten"}
DENSE: dict[str, Any] = {"type": "Dense", "units": 10}


def draw(*layers: Any, shape: tuple[int, int, int] = (28, 28, 1), classes: int = 10) -> Network:
    return draw_network(parse_as(NetworkSpec, {"layers": list(layers)}), shape, classes)


def problems(*layers: Any, shape: tuple[int, int, int] = (28, 28, 1), classes: int = 10) -> dict[str, str]:
    """What is wrong, by path below `network.layers`."""
    try:
        draw(*layers, shape=shape, classes=classes)
    except (NetworkError, InvalidSpec) as error:
        return {p.path.removeprefix("network.").removeprefix("layers."): p.text for p in error.problems}
    return {}


def wires(network: Network) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(node.name, node.layer.type, node.inputs) for node in network.layers]


# ── what they become ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_chain_gets_a_rescaling_its_activations_as_layers_and_a_softmax():
    network = draw({**CONV, "activation": "relu"}, FLATTEN, DENSE)
    assert wires(network) == [
        ("rescaling", "Rescaling", ("images",)),
        ("conv2d", "Conv2D", ("rescaling",)),
        ("conv2d_activation", "Activation", ("conv2d",)),
        ("flatten", "Flatten", ("conv2d_activation",)),
        ("logits", "Dense", ("flatten",)),
        ("probabilities", "Activation", ("logits",)),
    ]
    assert network.parameters == (9 * 4 + 4) + (26 * 26 * 4 * 10 + 10)


@pytest.mark.parametrize(
    "end",
    [
        [DENSE],
        [{**DENSE, "activation": "softmax"}],
        [{**DENSE, "activation": "linear", "name": "logits"}],
        [{**DENSE, "name": "probabilities", "activation": "softmax"}],
        [DENSE, {"type": "Activation", "activation": "softmax"}],
        [{**DENSE, "name": "logits"}, {"type": "Activation", "activation": "softmax", "name": "probabilities"}],
    ],
)
def test_every_ending_in_classes_or_in_their_softmax_means_the_same(end):
    network = draw(FLATTEN, *end)
    assert wires(network)[-2:] == [
        ("logits", "Dense", ("flatten",)),
        ("probabilities", "Activation", ("logits",)),
    ]


def test_a_network_without_dense_layers_may_end_in_the_means_of_its_maps():
    network = draw({**CONV, "filters": 10}, {"type": "GlobalAveragePooling2D"})
    assert wires(network)[-2][:2] == ("logits", "GlobalAveragePooling2D")


def test_a_rescaling_of_ones_own_is_left_alone():
    network = draw({"type": "Rescaling", "scale": 2.0}, FLATTEN, DENSE)
    assert [node.layer.type for node in network.layers].count("Rescaling") == 1


def test_branches_are_joined_by_name_and_the_list_may_be_in_any_order():
    network = draw(
        {**CONV, "name": "stem", "padding": "same"},
        {"type": "Add", "name": "sum", "inputs": ["right", "stem"]},
        {**CONV, "name": "right", "padding": "same", "activation": "relu", "inputs": ["stem"]},
        {**FLATTEN, "inputs": ["sum"]},
        DENSE,
    )
    assert [name for name, *_ in wires(network)] == [
        "rescaling", "stem", "right", "right_activation", "sum", "flatten", "logits", "probabilities",
    ]  # fmt: skip
    assert dict((name, inputs) for name, _, inputs in wires(network))["sum"] == ("right_activation", "stem")


def test_made_names_never_meet_given_ones():
    names = [name for name, *_ in wires(draw({**CONV, "name": "rescaling", "activation": "relu"},
                                             {**FLATTEN, "name": "rescaling_activation"}, DENSE))]  # fmt: skip
    assert len(set(names)) == len(names)


def test_an_own_network_survives_json_and_the_spec_stays_as_it_was_sent():
    layers = [{**CONV, "kernel_size": [3, 5]}, FLATTEN, DENSE]
    spec = parse_as(NetworkSpec, {"layers": layers})
    assert json.loads(json.dumps(spec.model_dump(mode="json"))) == {"layers": layers}
    network = draw(*layers)
    assert Network.from_json(network.to_json()) == network


def test_a_named_spec_is_stored_as_before_there_were_own_layers():
    assert parse_as(NetworkSpec, {"name": "lenet5"}).model_dump(mode="json") == {"name": "lenet5", "options": {}}


def test_the_example_is_accepted():
    spec = parse_spec(json.loads((Path(__file__).parents[3] / "examples" / "own-network.json").read_text()))
    assert inspect(spec).parameters == 60_362


# ── what is said of mistakes ─────────────────────────────────────────────────────────────────────────────────


def test_all_mistakes_in_arguments_are_told_at_once_each_at_its_path():
    found = problems(
        {"type": "Conv2d", "filters": 3},
        {"type": "Conv2D", "filterz": 3, "kernel_size": 0, "padding": "sane", "activation": "rulu"},
        {"type": "MaxPooling2D", "pool_size": [2, "2"]},
        {"type": "Dense", "units": True},
    )
    assert set(found) == {
        "0.type", "1.activation", "1.filterz", "1.filters", "1.kernel_size", "1.padding", "2.pool_size.1", "3.units",
    }  # fmt: skip
    assert "Did you mean Conv2D" in found["0.type"]
    assert "Did you mean relu" in found["1.activation"]
    assert "takes no 'filterz' here. Did you mean filters?" in found["1.filterz"]
    assert found["1.filters"] == "Conv2D needs filters, which has no default."
    assert "got 0" in found["1.kernel_size"]


@pytest.mark.parametrize(
    ("layers", "path", "part"),
    [
        ([{**CONV, "name": "a", "inputs": ["b"]}, {**CONV, "name": "b", "inputs": ["a"]}], "0.inputs", "a ← b ← a"),
        ([{**CONV, "name": "a", "inputs": ["a"]}, FLATTEN, DENSE], "0.inputs", "a ← a"),
        ([CONV, CONV, {**FLATTEN, "inputs": ["conv2d"]}, DENSE], "1", "'conv2d_2' feeds nothing, and so does 'dense'"),
        ([CONV, {**FLATTEN, "inputs": ["conv"]}, DENSE], "1.inputs.0", "Did you mean conv2d"),
        ([{**CONV, "name": "a"}, {**FLATTEN, "name": "a"}, DENSE], "1.name", "another layer's name"),
        ([{**CONV, "name": "images"}, FLATTEN, DENSE], "0.name", "the input's name"),
        ([{**CONV, "name": "logits"}, FLATTEN, DENSE], "0.name", "the yard's name for the end"),
        (
            [{**DENSE, "name": "logits", "activation": "relu"}, {"type": "Activation", "activation": "softmax"}],
            "0.name",
            "the yard's name for the end",
        ),
        ([{**CONV, "name": "a/b"}, FLATTEN, DENSE], "0.name", "pattern"),
        ([CONV, {"type": "Add"}, FLATTEN, DENSE], "1", "it takes 2 or more inputs, but gets 1"),
        ([CONV, {"type": "Add", "inputs": ["conv2d", "images"]}, FLATTEN, DENSE], "1", "adds inputs of one shape"),
        ([CONV, {**FLATTEN, "inputs": ["conv2d", "images"]}, DENSE], "1", "it takes 1 inputs, but gets 2"),
        ([FLATTEN, CONV, FLATTEN, DENSE], "1", "needs (height, width, channels)"),
        ([FLATTEN, {"type": "Dense", "units": 12}], "1.units", "Expected 10 numbers for an image at the end"),
        ([CONV, DENSE], "1", "Put a Flatten or a GlobalAveragePooling2D"),
        ([FLATTEN, {**DENSE, "activation": "relu"}], "1.activation", "ends in a softmax"),
        ([FLATTEN, DENSE, {"type": "Activation", "activation": "sigmoid"}], "2.activation", "ends in a softmax"),
        ([FLATTEN, {**DENSE, "units": 10**6}, DENSE], "1.units", f"{MOST_PARAMETERS:,}"),
        ([{**CONV, "filters": 10**6, "padding": "same"}, FLATTEN, DENSE], "0.filters", f"{MOST_ACTIVATIONS:,}"),
        ([{"type": "Flatten", "layer": {"evil": 1}}], "0.layer", "null, true or false"),
        ([{**CONV, "filters": 2**60}], "0.filters", "a number"),
        ([], "", "Expected at least one layer, got none."),
    ],
)  # fmt: skip
def test_a_bad_graph_is_told_by_the_path_of_its_layer(layers, path, part):
    found = problems(*layers)
    assert part in found[path], found


def test_images_that_are_too_small_are_told_with_the_smallest_that_do():
    layers = [{**CONV, "kernel_size": 5}, {"type": "MaxPooling2D", "pool_size": 4}, CONV, FLATTEN, DENSE]
    found = problems(*layers, shape=(10, 30, 1))
    assert found["layers"] == "These layers need images of at least 16 x 16 px, got 10 x 30 px."
    assert problems(*layers, shape=(16, 16, 1)) == {}
    assert problems(*layers, shape=(15, 16, 1)) != {}


def test_a_window_that_no_image_is_large_enough_for_is_told_without_a_size():
    assert set(problems({"type": "GlobalAveragePooling2D", "keepdims": True}, CONV, FLATTEN, DENSE)) == {"1"}


def test_one_class_is_refused():
    assert "at least 2 classes" in problems(FLATTEN, {**DENSE, "units": 1}, classes=1)["dataset"]


def test_as_many_layers_as_the_limit_are_taken_and_more_are_refused():
    many = [{"type": "Activation", "activation": "relu"}] * 998
    assert len(draw(*many, FLATTEN, DENSE).layers) == 1002
    assert "at most 1000 items" in problems(*many, FLATTEN, FLATTEN, DENSE)["layers"]


def test_a_thousand_mistakes_are_told_in_part():
    found = problems(*[{"type": "Conv2D"}] * 900)
    assert len(found) == 51
    assert found["layers"] == "There are 1750 more problems."


def test_too_many_wires_are_refused():
    layers = [{"type": "Activation", "activation": "relu", "name": f"a{i}"} for i in range(100)]
    layers += [{"type": "Add", "inputs": [f"a{i}" for i in range(100)]} for _ in range(110)]
    assert "at most 10,000 inputs" in problems(*layers, FLATTEN, DENSE)["layers"]


@pytest.mark.parametrize("argument", ["kernel_size", "strides"])
def test_the_largest_numbers_that_are_allowed_break_nothing(argument):
    layers = [{**CONV, "padding": "same", argument: 10**6}] * 200
    found = problems(*layers, FLATTEN, DENSE, shape=(8192, 8192, 1024))
    assert ("0.filters" in found) == (argument == "kernel_size")  # the other makes maps of 1 x 1


# ── whatever comes ───────────────────────────────────────────────────────────────────────────────────────────

NUMBERS = st.integers(-3, 70) | st.sampled_from([0, 1, 2, 3, 10**6, 2**53, -(2**53)]) | st.floats(allow_nan=False)
WORDS = st.sampled_from(["same", "valid", "relu", "softmax", "he_normal", "", "x"])
PLAIN = st.none() | st.booleans() | NUMBERS | WORDS
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3), max_leaves=6)
NAMES = st.sampled_from(["a", "b", "c", "images", "logits", "dense"])
SENSIBLE = {
    "filters": st.integers(1, 12), "units": st.just(10) | st.integers(1, 20), "kernel_size": st.integers(1, 4),
    "pool_size": st.integers(1, 3), "strides": st.integers(1, 3), "padding": st.sampled_from(["same", "valid"]),
    "rate": st.just(0.5), "activation": st.sampled_from(["relu", "softmax"]), "scale": st.just(0.5),
}  # fmt: skip


@st.composite
def any_layer(draw_one: Any) -> dict[str, Any]:
    kind = draw_one(st.sampled_from(sorted(LAYERS)))
    known = [*argument_names(LAYERS[kind]), *(["activation"] if kind in WITH_ACTIVATION else [])]
    layer: dict[str, Any] = {"type": kind}
    for name in known:
        if draw_one(st.integers(0, 9)) < (9 if name in SENSIBLE else 2):
            layer[name] = draw_one(SENSIBLE.get(name, VALUES) if draw_one(st.integers(0, 9)) else VALUES)
    if draw_one(st.integers(0, 9)) == 0:
        layer[draw_one(st.sampled_from(["name", "zzz", "type", "dtype"]))] = draw_one(VALUES)
    if draw_one(st.booleans()):
        layer.setdefault("name", draw_one(NAMES))
    if draw_one(st.integers(0, 3)) == 0:
        layer["inputs"] = draw_one(st.lists(NAMES, max_size=3))
    return layer


@settings(max_examples=400)
@given(st.lists(any_layer(), min_size=1, max_size=6), st.booleans())
def test_whatever_is_sent_is_a_sound_network_or_an_error_of_ours_with_paths(layers, finished):
    layers = [*layers, *([FLATTEN, DENSE] if finished else [])]
    if found := problems(*layers):
        assert all(found.values())
        return
    network = draw(*layers)
    assert network.output_shape == (10,)
    assert [node.name for node in network.layers[-2:]] == ["logits", "probabilities"]
    assert network.parameters <= MOST_PARAMETERS
