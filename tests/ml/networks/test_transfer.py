"""A network drawn anew for other classes, and what of it stays as it is."""

from __future__ import annotations

import pytest

from ml.networks import NETWORKS, NetworkError, make_network
from ml.networks.transfer import (
    block_name,
    blocks_of,
    feature_layer,
    frozen_layers,
    head_layer,
    new_layers,
    with_new_head,
)

MOBILE = make_network("mobilenet_v2", (64, 64, 3), 5, {})
HEAD = frozenset({"logits"})


@pytest.mark.parametrize(
    "name", ["lenet5", "alexnet", "googlenet", "resnet18", "se_resnet18", "xception", "mobilenet_v2", "simple_cnn"]
)
def test_every_network_gets_a_head_for_other_classes_and_keeps_the_rest(name):
    network = make_network(name, NETWORKS[name].input_shape, 10, {})
    other = with_new_head(network, network.input_shape, 3)
    assert other.classes == 3
    assert not other.auxiliary
    fresh = new_layers(network)
    assert head_layer(network) in fresh
    kept = {row.name: row.parameters for row in network.main.table if row.name not in fresh}
    assert {row.name: row.parameters for row in other.table if row.name not in fresh} == kept


def test_a_batch_norm_of_the_logits_is_made_anew_with_the_layer_before_it():
    network = make_network("simple_cnn", (28, 28, 1), 10, {})
    assert (head_layer(network), new_layers(network)) == ("f", {"f", "logits"})
    assert new_layers(MOBILE) == {"logits"}


def test_a_convolutional_network_takes_images_of_another_size():
    assert with_new_head(MOBILE, (96, 128, 3), 2).input_shape == (96, 128, 3)


def test_one_whose_weights_depend_on_the_size_does_not():
    lenet = make_network("lenet5", (28, 28, 1), 10, {})
    with pytest.raises(NetworkError, match=r"'c5' was made for images of 28 x 28 px in 1 channels") as caught:
        with_new_head(lenet, (36, 36, 1), 10)
    assert caught.value.path == "image_size"


@pytest.mark.parametrize(
    ("layer", "block"),
    [("s4_2_expand_norm", "s4_2"), ("s5_1_1_norm", "s5_1"), ("c1_norm", "c1"), ("c1", "c1"), ("i3a_1x1_norm", "i3a"),
     ("fire2_3x3", "fire2"), ("conv2d_3", "conv2d_3"), ("logits", "logits")],
)  # fmt: skip
def test_the_name_of_a_layer_tells_its_block(layer, block):
    assert block_name(layer) == block


def test_blocks_are_those_with_weights_in_their_order():
    names = [block.name for block in blocks_of(MOBILE)]
    assert names[:3] == ["c1", "s1_1", "s2_1"]
    assert names[-3:] == ["s7_1", "c2", "logits"]


def test_the_upper_third_learns_where_nothing_is_said():
    frozen = frozen_layers(MOBILE, None, HEAD)
    learning = {block_name(node.name) for node in MOBILE.layers if node.name not in frozen}
    assert learning == {"s5_3", "s6_1", "s6_2", "s6_3", "s7_1", "c2", "pool", "dropout", "logits", "probabilities"}


def test_a_block_a_layer_all_and_none_say_where_learning_begins():
    assert frozen_layers(MOBILE, "all", HEAD) == frozenset()
    assert frozen_layers(MOBILE, "none", HEAD) == {node.name for node in MOBILE.layers} - HEAD
    assert "s7_1_expand" not in frozen_layers(MOBILE, "s7_1", HEAD)
    assert "s6_3_project" in frozen_layers(MOBILE, "s7_1", HEAD)
    assert "s7_1_expand" in frozen_layers(MOBILE, "s7_1_project", HEAD)


def test_an_unknown_layer_is_answered_with_the_blocks():
    with pytest.raises(
        NetworkError, match=r"Did you mean s7_1.*The blocks are c1, s1_1, .*, c2; all and none"
    ) as caught:
        frozen_layers(MOBILE, "s7_2", HEAD)
    assert caught.value.path == "unfreeze_from"


def test_features_are_what_comes_before_all_that_learns_or_draws():
    assert feature_layer(MOBILE, frozen_layers(MOBILE, "none", HEAD)) == "pool"  # dropout follows it
    assert feature_layer(MOBILE, frozen_layers(MOBILE, "c2", HEAD)) == "s7_1_project_norm"
    assert feature_layer(MOBILE, frozenset()) is None


def test_where_two_layers_feed_what_learns_there_is_no_one_feature():
    # within a residual block: its beginning is needed again at its end
    assert feature_layer(MOBILE, frozen_layers(MOBILE, "s6_2_project", HEAD)) is None
