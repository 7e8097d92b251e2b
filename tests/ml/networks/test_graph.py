"""Networks as graphs: arithmetic, soundness, JSON."""

from __future__ import annotations

import json
import re

import pytest

from ml.networks import Auxiliary, Draft, InputTooSmall, Network, NetworkError, Node
from ml.networks.layers import Activation, Add, BatchNormalization, Concatenate, Conv2D, Dense, Flatten


def branching() -> Network:
    """Two convolutions side by side, joined, with a shortcut around the next."""
    draft = Draft("branching", (8, 8, 3))
    stem = draft.add("stem", Conv2D(4, 3, padding="same"))
    left = draft.add("left", Conv2D(2, 1), after=stem)
    right = draft.add("right", Conv2D(4, 3, padding="same"), after=stem)
    joined = draft.add("joined", Concatenate(), after=(left, right))
    draft.add("inner", Conv2D(6, 3, padding="same", use_bias=False))
    norm = draft.add("norm", BatchNormalization())
    draft.add("sum", Add(), after=(joined, norm))
    draft.add("flatten", Flatten())
    draft.add("logits", Dense(5))
    draft.add("probabilities", Activation("softmax"))
    return draft.finish()


def test_a_graph_with_branches_is_summed_up():
    network = branching()
    assert network.output_shapes["joined"] == (8, 8, 6)
    assert network.output_shape == (5,)
    assert network.classes == 5
    stem, left, right, inner, norm = 3 * 9 * 4 + 4, 4 * 2 + 2, 4 * 9 * 4 + 4, 6 * 9 * 6, 4 * 6
    assert network.parameters == stem + left + right + inner + norm + (384 * 5 + 5)
    assert network.parameters - network.trainable_parameters == 2 * 6


def test_the_table_has_a_row_a_layer():
    row = {row.name: row for row in branching().table}["right"]
    assert (row.type, row.inputs, row.output_shape) == ("Conv2D", ("stem",), (8, 8, 4))
    assert row.activations == 8 * 8 * 4
    assert row.multiply_adds == 8 * 8 * 4 * 9 * 4
    assert row.parameters == row.trainable_parameters == 4 * 9 * 4 + 4


def test_totals_are_the_sums_of_the_table():
    network = branching()
    assert network.multiply_adds == sum(row.multiply_adds for row in network.table)
    assert network.activations == sum(row.activations for row in network.table)


def test_json_and_back_gives_an_equal_network():
    network = branching()
    assert Network.from_json(json.loads(json.dumps(network.to_json()))) == network


def test_a_network_that_was_read_is_found_by_its_value():
    assert len({branching(), Network.from_json(branching().to_json())}) == 1


def test_two_layers_of_one_name_are_refused():
    draft = Draft("twins", (8, 8, 1))
    draft.add("c", Conv2D(1, 3))
    draft.add("c", Conv2D(1, 3))
    with pytest.raises(NetworkError, match="Two layers are called 'c'") as caught:
        draft.finish()
    assert caught.value.path == "network.layers.c"


def test_a_layer_may_not_take_the_name_of_the_images():
    with pytest.raises(NetworkError, match="Two layers are called 'images'"):
        Network("n", (8, 8, 1), (Node("images", Flatten(), ("images",)),))


def test_a_loop_is_refused_since_a_layer_must_stand_after_what_feeds_it():
    with pytest.raises(NetworkError, match="does not stand before it"):
        Network("loop", (8, 8, 1), (Node("a", Flatten(), ("b",)), Node("b", Flatten(), ("a",))))


def test_a_misspelt_input_is_answered_with_the_near_name():
    draft = Draft("n", (8, 8, 1))
    draft.add("stem", Conv2D(1, 3))
    draft.add("flat", Flatten(), after="stm")
    with pytest.raises(NetworkError, match="Did you mean stem"):
        draft.finish()


def test_a_layer_that_feeds_nothing_is_refused():
    draft = Draft("n", (8, 8, 1))
    draft.add("a", Flatten(), after="images")
    draft.add("b", Flatten(), after="images")
    with pytest.raises(NetworkError, match="'a' feeds nothing"):
        draft.finish()


def test_a_layer_gets_the_number_of_inputs_that_it_takes():
    with pytest.raises(NetworkError, match=r"'sum' \(Add\) takes 2 or more inputs, got 1"):
        Network("n", (8, 8, 1), (Node("sum", Add(), ("images",)),))
    with pytest.raises(NetworkError, match=r"'flat' \(Flatten\) takes 1 inputs, got 2"):
        Network("n", (8, 8, 1), (Node("flat", Flatten(), ("images", "images")),))


def test_a_network_without_layers_is_refused():
    with pytest.raises(NetworkError, match="at least one layer"):
        Network("n", (8, 8, 1), ())


def test_an_image_below_the_window_is_told_apart_from_other_faults():
    draft = Draft("n", (4, 4, 1))
    draft.add("c1", Conv2D(1, 5))
    with pytest.raises(InputTooSmall, match="Layer 'c1' does not fit"):
        draft.finish()


# ── auxiliary heads ──────────────────────────────────────────────────────────────────────────────────────────


def with_head() -> Network:
    """Two dense layers, and a head of two layers beside the second."""
    draft = Draft("headed", (4, 4, 1))
    flat = draft.add("flat", Flatten())
    draft.add("head_hidden", Dense(7), after=flat)
    draft.add_head(draft.add("head", Dense(3)), 0.3)
    draft.add("logits", Dense(3), after=flat)
    draft.add("probabilities", Activation("softmax"))
    return draft.finish()


def test_a_head_counts_in_training_and_not_in_what_is_kept():
    network = with_head()
    main, head = 16 * 3 + 3, (16 * 7 + 7) + (7 * 3 + 3)
    assert (network.parameters, network.main.parameters) == (main + head, main)
    assert [node.name for node in network.main.layers] == ["flat", "logits", "probabilities"]
    assert [row.name for row in network.table if row.auxiliary] == ["head_hidden", "head"]
    assert not any(row.auxiliary for row in network.main.table)


def test_a_network_without_heads_is_its_own_main_one():
    network = branching()
    assert network.main is network


def test_heads_survive_json():
    network = with_head()
    again = Network.from_json(json.loads(json.dumps(network.to_json())))
    assert again == network
    assert again.auxiliary == (Auxiliary("head", 0.3),)


@pytest.mark.parametrize(
    ("head", "text"),
    [
        ("haed", "Did you mean head"),
        ("probabilities", "not that layer itself"),
        ("head_hidden", "of (7,)"),
        ("images", "of (4, 4, 1)"),
    ],
)
def test_a_head_is_another_layer_of_the_last_ones_shape(head, text):
    network = with_head()
    with pytest.raises(NetworkError, match=re.escape(text)) as caught:
        Network("n", network.input_shape, network.layers, (*network.auxiliary, Auxiliary(head, 0.3)))
    assert caught.value.path == "network.auxiliary.1"


@pytest.mark.parametrize("weight", [0, -1, 1e9, "1", None])
def test_the_weight_of_a_head_is_a_positive_number(weight):
    data = with_head().to_json()
    data["auxiliary"][0]["weight"] = weight
    with pytest.raises(NetworkError) as caught:
        Network.from_json(data)
    assert caught.value.path == "network.auxiliary.0.weight"


# ── the JSON form ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("change", "path", "text"),
    [
        (lambda d: d["layers"][0].update(type="Conv2"), "network.layers.0.type", "Did you mean Conv2D"),
        (lambda d: d["layers"][0].update(type="__import__"), "network.layers.0.type", "No layer is called"),
        (lambda d: d["layers"][0]["options"].update(filters="6"), "network.layers.0.options.filters", "valid integer"),
        (lambda d: d["layers"][0]["options"].update(filters=0), "network.layers.0.options.filters", "greater than"),
        (lambda d: d["layers"][0]["options"].update(speed=1), "network.layers.0.options.speed", "nexpected"),
        (lambda d: d["layers"][0]["options"].pop("filters"), "network.layers.0.options.filters", "required"),
        (lambda d: d["layers"][0].update(name="a/b"), "network.layers.0.name", "pattern"),
        (lambda d: d.update(input_shape=[8, 8]), "network.input_shape.2", "required"),
        (lambda d: d.update(code="import os"), "network.code", "not permitted"),
        (lambda d: d.update(layers=[]), "network.layers", "at least 1"),
        (lambda d: d["layers"][4].update(inputs=["nowhere"]), "network.layers.inner", "does not stand before it"),
    ],
)
def test_json_that_is_no_network_is_refused_at_the_place_of_the_fault(change, path, text):
    data = branching().to_json()
    change(data)
    with pytest.raises(NetworkError, match=re.escape(text)) as caught:
        Network.from_json(data)
    assert caught.value.path == path


@pytest.mark.parametrize("data", [None, [], "network", 7, float("nan")])
def test_json_of_another_kind_is_refused(data):
    with pytest.raises(NetworkError):
        Network.from_json(data)
