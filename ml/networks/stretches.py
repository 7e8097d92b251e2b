"""Cutting a network into stretches of layers between which only one tensor passes: what recomputing keeps.

Kept are the tensors between stretches, and while one stretch goes backwards, all of its own (Chen, Xu, Zhang, Guestrin:
Training deep nets with sublinear memory cost, 2016). There stretches are √n layers long; here they are chosen by the
sizes of their outputs.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod

from ml.networks.graph import IMAGES, Network, Node

WEIGHTLESS = frozenset({"Activation", "Add", "Flatten", "Reshape", "Rescaling"})
"""Layers whose outputs take no memory of their own: they are written over their inputs, or are views of them."""


@dataclass(frozen=True)
class Stretch:
    """Layers that are run together."""

    nodes: tuple[Node, ...]
    takes: tuple[str, ...]
    """Tensors from before that it reads."""
    gives: tuple[str, ...]
    """Its own tensors that are read behind it, or that are wanted at the end."""
    numbers: int
    """In its outputs, for one image."""


def cut_into_stretches(
    network: Network, nodes: Sequence[Node], *, ends: Collection[str], start: str = IMAGES
) -> list[Stretch]:
    """The stretches that keep least at the worst moment; a single one where the layers cannot be cut.

    Args:
        network: whose layers they are.
        nodes: in their order.
        ends: names of the layers whose outputs are wanted.
        start: what feeds the first.
    """
    blocks = _blocks(network, nodes, ends, start)
    sizes = [sum(_numbers(network, node) for node in block) for block in blocks]
    kept = [prod(network.output_shapes[block[-1].name]) for block in blocks]
    limits = sorted({total for first in range(len(sizes)) for total in accumulate(sizes[first:])})
    plans = [_pack(sizes, limit) for limit in limits if limit >= max(sizes)]
    best = min(plans, key=lambda plan: _worst(plan, sizes, kept))
    return [_stretch(network, [n for block in blocks[a:b] for n in block], nodes, ends) for a, b in best]


def _blocks(network: Network, nodes: Sequence[Node], ends: Collection[str], start: str) -> list[list[Node]]:
    """The shortest runs of layers behind each of which a single tensor is still needed, but for the ends."""
    last_read = {name: position for position, node in enumerate(nodes) for name in node.inputs}
    blocks: list[list[Node]] = [[]]
    alive = {start}
    for position, node in enumerate(nodes):
        blocks[-1].append(node)
        alive.add(node.name)
        alive = {name for name in alive if last_read.get(name, -1) > position}
        if alive == {node.name} and position + 1 < len(nodes):
            blocks.append([])
    return blocks


def _pack(sizes: Sequence[int], limit: int) -> list[tuple[int, int]]:
    """Blocks joined from the front into runs (first, behind the last) that are no larger than `limit`."""
    runs, first, total = [], 0, 0
    for position, size in enumerate(sizes):
        if total and total + size > limit:
            runs.append((first, position))
            first, total = position, 0
        total += size
    return [*runs, (first, len(sizes))]


def _worst(plan: Sequence[tuple[int, int]], sizes: Sequence[int], kept: Sequence[int]) -> int:
    """What is held when the largest stretch goes backwards: it, and all that lies between stretches."""
    between = sum(kept[behind - 1] for _, behind in plan[:-1])
    return between + max(sum(sizes[first:behind]) for first, behind in plan)


def _stretch(network: Network, nodes: Sequence[Node], all_nodes: Sequence[Node], ends: Collection[str]) -> Stretch:
    own = {node.name for node in nodes}
    read_behind = {name for node in all_nodes if node.name not in own for name in node.inputs}
    return Stretch(
        nodes=tuple(nodes),
        takes=tuple(dict.fromkeys(name for node in nodes for name in node.inputs if name not in own)),
        gives=tuple(node.name for node in nodes if node.name in read_behind or node.name in ends),
        numbers=sum(_numbers(network, node) for node in nodes),
    )


def _numbers(network: Network, node: Node) -> int:
    return 0 if node.layer.type in WEIGHTLESS else prod(network.output_shapes[node.name])
