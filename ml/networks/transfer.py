"""A network that learned one dataset, drawn for another: a new head, and which of the rest stays as it is. Pure.

Yosinski, Clune, Bengio, Lipson: How transferable are features in deep neural networks? (2014): lower layers are general
and may stay, upper ones are special and learn anew. Howard, Ruder: Universal language model fine-tuning for text
classification (2018): the lower a layer, the lower its rate. Here that goes by blocks, which the names of layers tell:
`s4_2_expand_norm` belongs to `s4_2`, `c1_norm` to `c1`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ml.networks.errors import NetworkError
from ml.networks.graph import LOGITS, Network, Node
from records.errors import near_matches

ALL, NONE = "all", "none"
UPPER_SHARE = 1 / 3
"""Of the blocks with weights, that learn where nothing is said."""
RANDOM = frozenset({"Dropout", "StochasticDepth"})
"""Types of layers that draw at random in training."""


@dataclass(frozen=True)
class Block:
    """Layers that follow each other and learn at the same rate."""

    name: str
    layers: tuple[str, ...]


def with_new_head(network: Network, input_shape: tuple[int, int, int], classes: int) -> Network:
    """The network without its auxiliary heads, for other images and classes, all other weights of the same shapes.

    Raises:
        NetworkError: its weights depend on the size of the images, or they are too small for it.
    """
    main, head, fresh = network.main, head_layer(network), new_layers(network)
    nodes = tuple(_resized(node, classes) if node.name == head else node for node in main.layers)
    made = Network(main.name, input_shape, nodes)
    for node in main.layers:
        if node.name not in fresh and _shapes(main, node) != _shapes(made, node):
            height, width, channels = main.input_shape
            raise NetworkError(
                "image_size",
                f"Layer {node.name!r} was made for images of {width} x {height} px in {channels} channels and cannot "
                "take others. Leave image_size out.",
            )
    return made


def head_layer(network: Network) -> str:
    """The last dense layer or convolution on the way to the logits: it tells the classes apart."""
    return next(row for row in reversed(_on_the_way(network)) if row not in _norms(network))


def new_layers(network: Network) -> frozenset[str]:
    """The layers that are made anew for other classes: the head layer, and a batch norm of the logits behind it."""
    names = _on_the_way(network)
    return frozenset(names[names.index(head_layer(network)) :])


def blocks_of(network: Network) -> tuple[Block, ...]:
    """The blocks of a network that have weights, its head as the last, in their order."""
    weighty = {row.name for row in network.main.table if row.parameters}
    found: dict[str, list[str]] = {}
    for node in network.main.layers:
        found.setdefault(block_name(node.name), []).append(node.name)
    return tuple(Block(name, tuple(layers)) for name, layers in found.items() if weighty & set(layers))


def block_name(layer: str) -> str:
    """The block that a layer belongs to: its name's first part, and the second where that is a number."""
    parts = layer.split("_")
    return "_".join(parts[: 2 if parts[1:] and parts[1].isdigit() else 1])


def frozen_layers(network: Network, unfreeze_from: str | None, head: frozenset[str]) -> frozenset[str]:
    """The layers that stay as they are.

    Args:
        network: what is trained.
        unfreeze_from: the first layer or block that learns; `all`, `none`, or None for the upper third of the blocks.
        head: layers that learn in any case.

    Raises:
        NetworkError: there is no such layer or block; the text lists the blocks.
    """
    names = [node.name for node in network.main.layers]
    if unfreeze_from == NONE:
        return frozenset(names) - head
    first = 0 if unfreeze_from == ALL else names.index(_first_trained(network, unfreeze_from, head))
    return frozenset(names[:first]) - head


def feature_layer(network: Network, frozen: frozenset[str]) -> str | None:
    """The layer behind which everything learns or draws at random, and before which nothing does.

    What it gives for an image never changes while the others are frozen, so it can be computed once. None where more
    than one layer feeds what is behind it, or nothing with weights lies before.
    """
    main = network.main
    weighty = {row.name for row in main.table if row.parameters}
    lasting = [number for number, node in enumerate(main.layers) if node.name in weighty & frozen]
    if not lasting:
        return None
    start = lasting[-1] + 1
    while start < len(main.layers) and not _is_alive(main.layers[start], frozen & weighty, weighty):
        start += 1
    behind = {node.name for node in main.layers[start:]}
    feeding = {name for node in main.layers[start:] for name in node.inputs} - behind
    return feeding.pop() if len(feeding) == 1 else None


def _on_the_way(network: Network) -> list[str]:
    """The layers with weights up to the logits."""
    names = [node.name for node in network.main.layers]
    return [row.name for row in network.main.table[: names.index(LOGITS) + 1] if row.parameters]


def _norms(network: Network) -> frozenset[str]:
    return frozenset(node.name for node in network.main.layers if node.layer.type == "BatchNormalization")


def _is_alive(node: Node, frozen: frozenset[str], weighty: set[str]) -> bool:
    return node.layer.type in RANDOM or (node.name in weighty and node.name not in frozen)


def _first_trained(network: Network, unfreeze_from: str | None, head: frozenset[str]) -> str:
    blocks = [block for block in blocks_of(network) if not head & set(block.layers)]
    if unfreeze_from is None:
        count = max(1, round(len(blocks) * UPPER_SHARE))
        return blocks[-count].layers[0] if blocks else network.main.layers[0].name
    by_name = {block.name: block.layers[0] for block in blocks}
    layers = {node.name: node.name for node in network.main.layers}
    known = {**layers, **by_name}
    if unfreeze_from not in known:
        shown = ", ".join(block.name for block in blocks)
        raise NetworkError(
            "unfreeze_from",
            f"No layer or block is called {unfreeze_from!r}. {near_matches(unfreeze_from, [*by_name, ALL, NONE])} "
            f"The blocks are {shown}; all and none are taken too.",
        )
    return known[unfreeze_from]


def _resized(node: Node, classes: int) -> Node:
    """A dense layer, or a convolution whose maps are the classes, with as many outputs as there are classes."""
    field = "units" if hasattr(node.layer, "units") else "filters"
    return replace(node, layer=replace(node.layer, **{field: classes}))


def _shapes(network: Network, node: Node) -> list[tuple[int, ...]]:
    return [weight.shape for weight in node.layer.weights(*(network.output_shapes[name] for name in node.inputs))]
