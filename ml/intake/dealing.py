"""Dealing new images to train, val and test: stratified by class, and the same whatever the files are called.

Which images of a class go where follows from the seed and the content alone. What looks alike stays together.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ml.datasets.split import share_out
from records.intake import Split, Splits

FIRST_CHOICE: tuple[Split, ...] = ("train", "val", "test")
"""Where a new image goes that looks like old ones of several splits: it spoils nothing that is not spoilt already."""


@dataclass(frozen=True)
class Hand:
    """Images that go to one split together: alone, or those that look alike."""

    members: tuple[int, ...]
    label: str | None
    content: str
    """The smallest SHA-256 of its members."""


def deal(hands: Sequence[Hand], splits: Splits) -> dict[int, Split]:
    """The split of each member of each hand.

    Each class gives its share of the whole, rounded by largest remainder, and keeps at least one image to train with. A
    hand that is larger than the room left in val or test goes to train.
    """
    by_class: dict[str | None, list[Hand]] = defaultdict(list)
    for hand in sorted(hands, key=lambda hand: _order(hand, splits.seed)):
        by_class[hand.label].append(hand)
    labels = sorted(by_class, key=lambda label: label or "")
    counts = [sum(len(hand.members) for hand in by_class[label]) for label in labels]
    rooms = _rooms(counts, splits)
    dealt: dict[int, Split] = {}
    for label, room in zip(labels, rooms, strict=True):
        dealt.update(_deal_class(by_class[label], room))
    return dealt


def split_beside(splits: Sequence[Split]) -> Split:
    """Where a new image goes that looks like old ones of these splits."""
    return next(split for split in FIRST_CHOICE if split in splits)


def _deal_class(hands: Sequence[Hand], room: Mapping[Split, int]) -> dict[int, Split]:
    left = dict(room)
    dealt: dict[int, Split] = {}
    for hand in hands:
        size = len(hand.members)
        split = next((split for split in left if left[split] >= size), "train")
        if split in left:
            left[split] -= size
        dealt.update(dict.fromkeys(hand.members, split))
    return dealt


def _rooms(counts: Sequence[int], splits: Splits) -> list[dict[Split, int]]:
    """How many images of each class go to test and to val.

    A class that got less than its share of the one gets more of the other: both are shared out together, then parted.
    """
    numbers, total = np.asarray(counts, np.int64), sum(counts)
    test = _wanted(splits.test, total)
    both = test + _wanted(splits.val, total)
    in_test = share_out(numbers, test) if test else 0 * numbers
    in_both = share_out(numbers, min(both, total)) if both else 0 * numbers
    in_test = np.minimum(in_test, numbers - 1)
    in_val = np.clip(in_both - in_test, 0, numbers - 1 - in_test)
    return [{"test": int(first), "val": int(second)} for first, second in zip(in_test, in_val, strict=True)]


def _wanted(fraction: float, total: int) -> int:
    return min(max(round(fraction * total), 1), total - 1) if fraction and total > 1 else 0


def _order(hand: Hand, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{hand.content}".encode()).hexdigest()
