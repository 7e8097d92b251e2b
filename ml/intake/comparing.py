"""Finding images that are, or look, the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from ml.intake.look import HASH_BYTES

NEAR_BITS = 24
"""Two looks are near when at most so many of their 256 bits differ (see `ml.intake.look` for why) …"""
NEAR_COLOUR = 32
"""… and their mean red, green and blue by at most so much of 255 each."""
WORDS = HASH_BYTES // 8
ROWS, COLUMNS = 64, 4096
"""Size of the blocks that are compared at once; their half a million distances fit a processor's cache."""


def same_groups(keys: Sequence[Hashable]) -> list[list[int]]:
    """Indices of equal keys, in groups of at least two, each ascending and in the order of their first."""
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for index, key in enumerate(keys):
        groups[key].append(index)
    return [group for group in groups.values() if len(group) > 1]


def near_groups(looks: Sequence[str | None], together: Sequence[Sequence[int]] = ()) -> list[list[int]]:
    """Indices of images that look alike, in groups of at least two; alike goes on from one to the next.

    Every pair is compared, in blocks: the first 64 of the 256 bits throw out nearly all pairs, and only the rest, as
    far as they are not together already, are looked at whole. Ten thousand images take half a second.

    Args:
        looks: of each image, from `ml.intake.look.look_of`; None is like nothing.
        together: groups that belong together whatever they look like.
    """
    joined = _Joined(len(looks))
    for group in together:
        joined.join_all(group)
    of_look: dict[str, list[int]] = defaultdict(list)
    for index, look in enumerate(looks):
        if look is not None:
            of_look[look].append(index)
    for group in of_look.values():
        joined.join_all(group)
    _join_near(joined, list(of_look), np.array([group[0] for group in of_look.values()], np.int64))
    return same_groups(joined.roots.tolist())


class _Joined:
    """Which indices belong together."""

    def __init__(self, count: int) -> None:
        self._parents = np.arange(count)

    @property
    def roots(self) -> NDArray[np.int64]:
        """The same number for all that belong together."""
        while not np.array_equal(self._parents, up := self._parents[self._parents]):
            self._parents = up
        return self._parents

    def join_all(self, indices: Sequence[int]) -> None:
        for index in indices[1:]:
            self.join(indices[0], index)

    def join(self, one: int, other: int) -> None:
        first, second = sorted((self._root(one), self._root(other)))
        self._parents[second] = first

    def _root(self, index: int) -> int:
        while self._parents[index] != index:
            index = int(self._parents[index])
        return index


def _join_near(joined: _Joined, looks: Sequence[str], indices: NDArray[np.int64]) -> None:
    """Join the indices of looks, all different, that are near."""
    hashes, colours = _unpack(looks)
    roots = joined.roots
    for top in range(0, len(looks), ROWS):
        for left in range(top, len(looks), COLUMNS):
            rows, columns = slice(top, top + ROWS), slice(left, left + COLUMNS)
            row, column = np.nonzero(np.bitwise_count(hashes[0, rows, None] ^ hashes[0, None, columns]) <= NEAR_BITS)
            row, column = row + top, column + left
            apart = (row < column) & (roots[indices[row]] != roots[indices[column]])
            row, column = row[apart], column[apart]
            bits = np.bitwise_count(hashes[:, row] ^ hashes[:, column]).sum(axis=0, dtype=np.int64)
            near = (bits <= NEAR_BITS) & (np.abs(colours[row] - colours[column]) <= NEAR_COLOUR).all(axis=1)
            pairs = np.unique(np.stack([roots[indices[row[near]]], roots[indices[column[near]]]]), axis=1)
            for one, other in pairs.T.tolist():
                joined.join(one, other)
            if pairs.size:
                roots = joined.roots


def _unpack(looks: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int16]]:
    """Hashes `[4, n]`, and colours `[n, 3]`."""
    raw = np.frombuffer(bytes.fromhex("".join(looks)), np.uint8).reshape(len(looks), HASH_BYTES + 3)
    words = np.ascontiguousarray(raw[:, :HASH_BYTES]).view(np.uint64)
    return np.ascontiguousarray(words.reshape(len(looks), WORDS).T), raw[:, HASH_BYTES:].astype(np.int16)
