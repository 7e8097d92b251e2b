"""Finding images that are, or look, the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence

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

    Every pair is compared, in blocks: the first 64 of the 256 bits throw out nearly all pairs, and only the rest are
    looked at whole. Ten thousand images take a tenth of a second, two hundred thousand half a minute.

    Args:
        looks: of each image, from `ml.intake.look.look_of`; None is like nothing.
        together: groups that belong together whatever they look like.
    """
    parents = np.arange(len(looks))
    for group in together:
        for index in group[1:]:
            _join(parents, group[0], index)
    known = np.array([index for index, look in enumerate(looks) if look is not None], np.int64)
    hashes, colours = _unpack([looks[index] or "" for index in known])
    for rows, columns in _near_pairs(hashes, colours):
        _join_all(parents, known[rows], known[columns])
    return same_groups([_root(parents, index) for index in range(len(looks))])


def _unpack(looks: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int16]]:
    """Hashes `[4, n]`, and colours `[n, 3]`."""
    raw = np.frombuffer(bytes.fromhex("".join(looks)), np.uint8).reshape(len(looks), HASH_BYTES + 3)
    words = np.ascontiguousarray(raw[:, :HASH_BYTES]).view(np.uint64)
    return np.ascontiguousarray(words.reshape(len(looks), WORDS).T), raw[:, HASH_BYTES:].astype(np.int16)


def _near_pairs(
    hashes: NDArray[np.uint64], colours: NDArray[np.int16]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Rows and columns of near pairs, block by block."""
    number = hashes.shape[1]
    for top in range(0, number, ROWS):
        for left in range(top, number, COLUMNS):
            rows, columns = slice(top, top + ROWS), slice(left, left + COLUMNS)
            distances = np.bitwise_count(hashes[0, rows, None] ^ hashes[0, None, columns])
            row, column = np.nonzero(distances <= NEAR_BITS)
            row, column = row + top, column + left
            row, column = row[row < column], column[row < column]
            whole = np.bitwise_count(hashes[:, row] ^ hashes[:, column]).sum(axis=0, dtype=np.int64)
            near = (whole <= NEAR_BITS) & (np.abs(colours[row] - colours[column]) <= NEAR_COLOUR).all(axis=1)
            if near.any():
                yield row[near], column[near]


def _join_all(parents: NDArray[np.int64], rows: NDArray[np.int64], columns: NDArray[np.int64]) -> None:
    """Join pairs; those that are together already are skipped at once, however many they are."""
    roots = _roots(parents)
    apart = roots[rows] != roots[columns]
    for row, column in np.unique(np.stack([roots[rows[apart]], roots[columns[apart]]], axis=1), axis=0):
        _join(parents, row, column)


def _roots(parents: NDArray[np.int64]) -> NDArray[np.int64]:
    """The root of every index; `parents` then points to it directly."""
    while not np.array_equal(parents, up := parents[parents]):
        parents[:] = up
    return parents


def _join(parents: NDArray[np.int64], one: int, other: int) -> None:
    first, second = sorted((_root(parents, one), _root(parents, other)))
    parents[second] = first


def _root(parents: NDArray[np.int64], index: int) -> int:
    while parents[index] != index:
        index = int(parents[index])
    return int(index)
