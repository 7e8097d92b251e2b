"""What is not kept when stretches of layers are computed again in the backward pass (`ml.networks.stretches`)."""

from __future__ import annotations

from math import prod

from ml.estimates.plan import Plan
from ml.networks import LOGITS, Network, Node
from ml.networks.stretches import WEIGHTLESS, cut_into_stretches

GRADIENTS = 2
"""Arrays as large as the largest output that come on top: the worst moment is now amid the backward pass."""
FULL_BYTES = 4


def spared_bytes(network: Network, plan: Plan) -> int:
    """Bytes of activations that are gone at the worst moment, for one image.

    Kept are what lies between stretches and the whole of the largest. Frozen layers keep nothing anyway.
    """
    names = [node.name for node in network.layers]
    ends = (LOGITS, *(head.name for head in network.auxiliary))
    stretches = cut_into_stretches(network, network.layers[: names.index(LOGITS) + 1], ends=ends)
    learning = [stretch for stretch in stretches if not all(node.name in plan.frozen for node in stretch.nodes)]
    if not learning:
        return 0
    sizes = [[_kept_bytes(network, plan, node) for node in stretch.nodes] for stretch in learning]
    between = sum(prod(network.output_shapes[name]) for stretch in learning[:-1] for name in stretch.gives)
    needed = between * plan.activation_bytes + max(map(sum, sizes)) + GRADIENTS * max(map(max, sizes))
    return max(0, sum(map(sum, sizes)) - needed)


def _kept_bytes(network: Network, plan: Plan, node: Node) -> int:
    """Batch normalisation keeps a 32-bit copy of its input."""
    if node.layer.type in WEIGHTLESS:
        return 0
    wide = node.layer.type == "BatchNormalization" and node.name not in plan.frozen
    return prod(network.output_shapes[node.name]) * (FULL_BYTES if wide else plan.activation_bytes)
