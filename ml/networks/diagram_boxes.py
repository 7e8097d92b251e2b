"""What a diagram of a network is drawn from: layers gathered into boxes, boxes into sections that may repeat. Pure.

A box is a layer with the small ones right behind it (norm, activation, dropout). A section ends at a box that all paths
pass through: one box in a chain, a whole block where there are branches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ml.networks.graph import IMAGES, Network, Node
from ml.networks.layers import Shape

SMALL = frozenset(
    {
        "Activation",
        "BatchNormalization",
        "Dropout",
        "LayerNormalization",
        "LayerScale",
        "LocalResponseNormalization",
        "StochasticDepth",
    }
)
"""Layers that are drawn in the box of the layer that feeds them, if they are all that it feeds."""
IN_FRONT = frozenset({"Rescaling", "ChannelOrder"})
"""Layers that are drawn in the box of the images."""
MOST_BOXES = 40
"""Up to so many, every box is drawn; of more, sections that are alike and stand in a row are drawn once."""
_ROW_OF_BOXES, _ROW_OF_BLOCKS = 3, 2
"""So many single boxes, or blocks, in a row are drawn once."""


@dataclass(frozen=True)
class Box:
    """A layer and those drawn with it."""

    nodes: tuple[Node, ...]
    """The images have none but, perhaps, what brings their pixels to another range and order."""
    inputs: tuple[int, ...]
    """Places of the boxes that feed it, all before its own."""
    output_shape: Shape
    parameters: int
    auxiliary: bool

    @property
    def name(self) -> str:
        """The name of its first layer, or of the images."""
        return IMAGES if self.is_input else self.nodes[0].name

    @property
    def is_input(self) -> bool:
        """Whether it stands for the images."""
        return not self.inputs

    @property
    def kind(self) -> tuple[Any, ...]:
        """What two boxes that look alike have in common."""
        # The rates of stochastic depth grow from block to block, and blocks that differ in nothing else look alike.
        layers = tuple(
            (node.layer.type, "" if node.layer.type == "StochasticDepth" else repr(node.layer)) for node in self.nodes
        )
        return (layers, self.output_shape, self.parameters, self.auxiliary)


@dataclass(frozen=True)
class Section:
    """Boxes between two that all paths pass through, the second of them included."""

    first: int
    """The place of its first box; the box before it feeds the section."""
    boxes: tuple[Box, ...]
    repeats: int = 1
    """How many sections in a row are like this one."""
    last_name: str = ""
    """The name of the last box of the last of these."""


def make_boxes(network: Network) -> list[Box]:
    """The boxes of a network in the order of the graph; the images are the first."""
    table = {row.name: row for row in network.table}
    fed = _count_followers(network)
    groups: list[list[Node]] = [[]]
    place = {IMAGES: 0}
    for node in network.layers:
        before = place[node.inputs[0]]
        # Only the last layer of a box can be followed within it: what it feeds besides would begin inside the box.
        tail = groups[before][-1].name if groups[before] else IMAGES
        joins = node.layer.type in (SMALL if before else IN_FRONT)
        if joins and len(node.inputs) == 1 and node.inputs[0] == tail and fed[tail] == 1:
            groups[before].append(node)
            place[node.name] = before
        else:
            groups.append([node])
            place[node.name] = len(groups) - 1
    boxes = [Box(tuple(groups[0]), (), network.input_shape, 0, auxiliary=False)]
    for nodes in groups[1:]:
        rows = [table[node.name] for node in nodes]
        inputs = tuple(place[name] for name in nodes[0].inputs)
        parameters = sum(row.parameters for row in rows)
        boxes.append(Box(tuple(nodes), inputs, rows[-1].output_shape, parameters, rows[0].auxiliary))
    return boxes


def make_sections(boxes: Sequence[Box]) -> list[Section]:
    """The sections behind the images, those that repeat drawn together if there are many boxes."""
    sections = list(_cut(boxes))
    if len(boxes) <= MOST_BOXES:
        return sections
    merged: list[Section] = []
    for _, alike in groupby(sections, key=_kind):
        row = list(alike)
        if len(row) >= (_ROW_OF_BOXES if len(row[0].boxes) == 1 else _ROW_OF_BLOCKS):
            merged.append(Section(row[0].first, row[0].boxes, len(row), row[-1].boxes[-1].name))
        else:
            merged += row
    return merged


def _count_followers(network: Network) -> dict[str, int]:
    fed = dict.fromkeys((IMAGES, *(node.name for node in network.layers)), 0)
    for node in network.layers:
        for name in set(node.inputs):
            fed[name] += 1
    return fed


def _cut(boxes: Sequence[Box]) -> Iterator[Section]:
    """Cut behind every box that alone feeds what comes after it."""
    reach = list(range(len(boxes)))
    for place, box in enumerate(boxes):
        for feeder in box.inputs:
            reach[feeder] = place
    first, furthest = 1, 0
    for place in range(1, len(boxes)):
        furthest = max(furthest, reach[place - 1] if place > first else reach[first - 1])
        if furthest <= place:
            yield Section(first, tuple(boxes[first : place + 1]), last_name=boxes[place].name)
            first = place + 1


def _kind(section: Section) -> tuple[Any, ...]:
    wires = tuple(tuple(place - section.first for place in box.inputs) for box in section.boxes)
    return (wires, tuple(box.kind for box in section.boxes))
