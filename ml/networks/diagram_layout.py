"""Where the boxes of one section of a diagram stand: in ranks from top to bottom, and in lanes side by side. Pure.

A box stands one rank below the lowest that feeds it. Lanes are dealt out like those of a commit graph: a box goes on
in the lane of what feeds it, and a wire that passes other ranks has a lane of its own there, so none crosses a box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ml.networks.diagram_boxes import Section

SOURCE = -1
"""The place, within a section, of the box before it that feeds it."""


@dataclass
class Layout:
    """Ranks and lanes of one section's boxes, by their place in it."""

    ranks: dict[int, int]
    """From 1; the source stands at 0."""
    lanes: dict[int, int] = field(default_factory=dict)
    passing: dict[int, int] = field(default_factory=dict)
    """The lane in which a box's output passes ranks on its way to boxes further down."""
    wires: list[tuple[int, int]] = field(default_factory=list)
    """From place to place."""

    @property
    def height(self) -> int:
        """How many ranks there are."""
        return max(self.ranks.values())

    @property
    def lane_count(self) -> int:
        """How many lanes are in use."""
        return 1 + max((*self.lanes.values(), *self.passing.values()))

    @property
    def lanes_with_boxes(self) -> list[int]:
        """The lanes that are more than a wire."""
        return sorted(set(self.lanes.values()))


def lay_out(section: Section) -> Layout:
    """The layout of one section; its last box stands below all others."""
    wires = [
        (max(place - section.first, SOURCE), index)
        for index, box in enumerate(section.boxes)
        for place in sorted(set(box.inputs))
    ]
    layout = Layout(_rank(len(section.boxes), wires), wires=wires)
    _Dealing(layout).deal()
    return layout


def _rank(count: int, wires: Sequence[tuple[int, int]]) -> dict[int, int]:
    ranks = {SOURCE: 0}
    before: dict[int, list[int]] = {index: [] for index in range(count)}
    for start, end in wires:
        before[end].append(start)
    for index in range(count):
        ranks[index] = 1 + max(ranks[start] for start in before[index])
    ranks[count - 1] = max(ranks.values()) + (1 if _is_shared(ranks, count - 1) else 0)
    return ranks


def _is_shared(ranks: dict[int, int], last: int) -> bool:
    """Whether another box stands as low as the last one, or lower: the end of an auxiliary head."""
    return any(rank >= ranks[last] for index, rank in ranks.items() if index != last)


class _Dealing:
    """Deals out lanes."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._taken: set[tuple[int, int]] = set()
        self._starts: dict[int, list[int]] = {index: [] for index in layout.ranks}
        self._ends: dict[int, list[int]] = {index: [] for index in layout.ranks}
        for start, end in layout.wires:
            self._starts[end].append(start)
            self._ends[start].append(end)

    def deal(self) -> None:
        """First lanes for boxes, then for the wires that could not go straight down from theirs."""
        for index in sorted(self._starts):
            if index != SOURCE:
                self._place(index)
        for index in self._ends:
            if index not in self._layout.passing and (span := self._span(index)):
                self._layout.passing[index] = self._free_lane(span, first=1)

    def _place(self, index: int) -> None:
        layout, rank = self._layout, self._layout.ranks[index]
        before = [layout.lanes[start] for start in self._starts[index] if start != SOURCE]
        wanted = [lane for lane in before if (lane, rank) not in self._taken]
        lane = wanted[0] if wanted else self._free_lane([rank], first=0)
        layout.lanes[index] = lane
        self._taken.add((lane, rank))
        span = self._span(index)
        follows = any(layout.ranks[end] == rank + 1 for end in self._ends[index])
        if span and not follows and not any((lane, passed) in self._taken for passed in span):
            layout.passing[index] = lane
            self._taken.update((lane, passed) for passed in span)

    def _span(self, index: int) -> list[int]:
        """The ranks that the box's output passes."""
        lowest = max((self._layout.ranks[end] for end in self._ends[index]), default=0)
        return list(range(self._layout.ranks[index] + 1, lowest))

    def _free_lane(self, ranks: Sequence[int], *, first: int) -> int:
        lane = first
        while any((lane, rank) in self._taken for rank in ranks):
            lane += 1
        self._taken.update((lane, rank) for rank in ranks)
        return lane
