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
        self._taken: list[int] = []
        """For each lane, a bit for each rank; whole spans are compared at once, however many there are."""
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
        lane = next((lane for lane in before if self._is_free(lane, 1 << rank)), None)
        if lane is None:
            lane = self._free_lane(1 << rank, first=0)
        else:
            self._taken[lane] |= 1 << rank
        layout.lanes[index] = lane
        span = self._span(index)
        follows = any(layout.ranks[end] == rank + 1 for end in self._ends[index])
        if span and not follows and self._is_free(lane, span):
            layout.passing[index] = lane
            self._taken[lane] |= span

    def _span(self, index: int) -> int:
        """The ranks that the box's output passes, a bit each."""
        first = self._layout.ranks[index] + 1
        lowest = max((self._layout.ranks[end] for end in self._ends[index]), default=0)
        return (1 << lowest) - (1 << first) if lowest > first else 0

    def _is_free(self, lane: int, ranks: int) -> bool:
        return not self._taken[lane] & ranks

    def _free_lane(self, ranks: int, *, first: int) -> int:
        """The first lane from this one on that has these ranks free; it takes them."""
        while len(self._taken) <= first:
            self._taken.append(0)
        lane = next((lane for lane in range(first, len(self._taken)) if self._is_free(lane, ranks)), len(self._taken))
        if lane == len(self._taken):
            self._taken.append(0)
        self._taken[lane] |= ranks
        return lane
