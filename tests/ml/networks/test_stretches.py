"""Cutting networks for recomputation."""

from __future__ import annotations

import pytest

from ml.networks import IMAGES, LOGITS, make_network
from ml.networks.stretches import cut_into_stretches
from tests.ml.small_networks import QUICK, SMALL


@pytest.mark.parametrize("name", QUICK)
def test_stretches_hold_every_layer_once_and_in_order_and_pass_on_what_is_read(name):
    network = make_network(name, (32, 32, 3), 10, SMALL[name])
    nodes = network.layers[:-1]
    ends = (LOGITS, *(head.name for head in network.auxiliary))
    stretches = cut_into_stretches(network, nodes, ends=ends)
    assert [node.name for stretch in stretches for node in stretch.nodes] == [node.name for node in nodes]
    known = {IMAGES}
    for stretch in stretches:
        assert set(stretch.takes) <= known
        known |= set(stretch.gives)
    assert set(ends) <= known


def test_a_deep_network_is_cut_so_that_much_less_is_held():
    network = make_network("resnet56", (32, 32, 3), 10, {})
    stretches = cut_into_stretches(network, network.layers[:-1], ends=(LOGITS,))
    whole = sum(stretch.numbers for stretch in stretches)
    assert len(stretches) > 4
    assert max(stretch.numbers for stretch in stretches) < whole / 4
    assert all(len(stretch.takes) == 1 for stretch in stretches)
