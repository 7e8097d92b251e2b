"""The catalogue of weights: sound by itself, and in step with the networks that it names."""

from __future__ import annotations

import re

import pytest

from ml.networks import NETWORKS, make_network
from records.errors import NotFound
from records.weights import WEIGHTS, find_weights, weights_of


@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=list(WEIGHTS))
def test_every_entry_can_be_checked_and_says_where_it_comes_from(weights):
    assert weights.name.startswith(weights.network)
    kind, _, digest = weights.digest.partition(":")
    assert re.fullmatch({"sha256": "[0-9a-f]{64}", "md5": "[0-9a-f]{32}"}[kind], digest)
    assert weights.title
    assert weights.licence
    assert weights.source
    assert "/" not in weights.file
    assert weights.file.endswith((".h5", ".pth"))
    if weights.download:
        assert weights.download.startswith("https://")
        assert weights.download.endswith(f"/{weights.file}")


@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=list(WEIGHTS))
def test_every_entry_names_a_network_that_takes_its_options_and_images(weights):
    shape = (weights.side_px, weights.side_px, 3)
    assert shape == NETWORKS[weights.network].input_shape
    assert make_network(weights.network, shape, weights.classes or 2, dict(weights.options))


def test_no_two_entries_are_the_same_file():
    assert len({weights.file for weights in WEIGHTS.values()}) == len(WEIGHTS)
    assert len({weights.digest for weights in WEIGHTS.values()}) == len(WEIGHTS)


def test_weights_are_found_by_name_and_by_network():
    assert find_weights("resnet50_imagenet").network == "resnet50"
    assert [weights.name for weights in weights_of("vgg16")] == [
        "vgg16_imagenet",
        "vgg16_imagenet_notop",
        "vgg16_hed_notop",
    ]
    assert weights_of("lenet5") == ()
    with pytest.raises(NotFound, match="Did you mean resnet50_imagenet"):
        find_weights("resnet50_imagnet")
