"""Which layers of a network tell its classes apart."""

from __future__ import annotations

import pytest

from ml.networks import NETWORKS, head_layers, make_network
from tests.ml.networks.test_named import images_for


@pytest.mark.parametrize(
    ("name", "options", "head"),
    [
        ("resnet50", {}, ("logits",)),
        ("vgg16", {}, ("f6", "f7", "logits")),
        ("vgg16", {"head": "means"}, ("logits",)),
        ("squeezenet", {}, ("c10",)),
        ("mobilenet_v3_small", {}, ("hidden", "logits")),
        ("convnext_tiny", {}, ("head_norm", "logits")),
        ("efficientnet_b0", {}, ("logits",)),
        ("dense", {"hidden": [7]}, ("hidden_1", "logits")),
    ],
)
def test_the_head_is_what_stands_behind_the_last_maps(name, options, head):
    assert head_layers(make_network(name, images_for(name), 5, options)) == head


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_has_a_head_and_all_that_depends_on_the_classes_is_in_it(name):
    few, many = (make_network(name, images_for(name), classes, {}).main for classes in (3, 4))
    rows = zip(few.table, many.table, strict=True)
    changed = {row.name for row, other in rows if row.parameters != other.parameters}
    assert changed
    assert changed <= set(head_layers(few))
