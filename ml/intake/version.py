"""From samples that were read to the images of the new version: what is dropped as a duplicate, and who goes where."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from ml.intake.comparing import near_groups, same_groups
from ml.intake.dealing import Hand, deal, split_beside
from ml.intake.problems import Problems
from ml.intake.reading import TakenSample
from records.intake import Manifest, ManifestImage, Place, Split, Splits

KEEP_FIRST: tuple[Split | None, ...] = ("test", "val", "train", None)
"""Of the same image in several splits, the one that keeps the test honest stays."""


@dataclass(frozen=True)
class Kinship:
    """Which images are, or look, the same: indices, first those of the version before, then the new ones."""

    exact: list[list[int]]
    near: list[list[int]]
    """Groups of exact duplicates are parts of these."""


@dataclass(frozen=True)
class Chosen:
    """The new images that stay, and the splits of all."""

    kept: tuple[TakenSample, ...]
    """In the order of their names."""
    splits: tuple[Split, ...]
    """Of each of them."""
    dropped: int
    """Duplicates that were left out."""
    places: tuple[Place, ...]
    """Of every image that was compared, in the order of `Kinship`."""


def find_kin(parent: Manifest | None, taken: Sequence[TakenSample]) -> Kinship:
    """Compare all images, those of the version before among them."""
    before = parent.images if parent else ()
    contents: list[Hashable] = [image.sha256 for image in before]
    exact = same_groups([*contents, *(one.sha256 for one in taken)])
    near = near_groups([*(image.look for image in before), *(one.look for one in taken)], exact)
    return Kinship(exact, near)


def choose(
    parent: Manifest | None,
    taken: Sequence[TakenSample],
    kin: Kinship,
    *,
    splits: Splits,
    keep_duplicates: bool,
    problems: Problems,
) -> Chosen:
    """Drop duplicates unless they are to be kept, and deal what is left.

    Args:
        parent: the version before.
        taken: what was read.
        kin: of both.
        splits: fractions and seed, for images whose archive gives no split.
        keep_duplicates: drop none.
        problems: takes the same image under several labels.
    """
    before = parent.images if parent else ()
    dropped: set[int] = set()
    contradictory = 0
    for group in () if keep_duplicates else kin.exact:
        new = [index for index in group if index >= len(before)]
        if _contradict(group, parent, taken):
            for index in new:
                _name_contradiction(index, group, before, taken, problems)
            dropped.update(new)
            contradictory += len(new)
        else:
            dropped.update(_all_but_one(group, new, len(before), taken))
    kept = [index for index in range(len(before), len(before) + len(taken)) if index not in dropped]
    dealt = _deal(kept, before, taken, kin, splits)
    return Chosen(
        kept=tuple(taken[index - len(before)] for index in kept),
        splits=tuple(dealt[index] for index in kept),
        dropped=len(dropped) - contradictory,
        places=(
            *(Place(name=image.name, split=image.split, earlier=True, left_out=False) for image in before),
            *(_place(one, len(before) + number, dealt) for number, one in enumerate(taken)),
        ),
    )


def _contradict(group: Sequence[int], parent: Manifest | None, taken: Sequence[TakenSample]) -> bool:
    """Whether the same image came under several classes, or with several masks."""
    before = parent.images if parent else ()
    new = [taken[index - len(before)] for index in group if index >= len(before)]
    if len({one.mask_sha256 for one in new}) > 1:
        return True
    old_labels = {before[index].label for index in group if index < len(before)} - {None}
    labels = {parent.classes[label] for label in old_labels if label is not None} if parent else set()
    return len(labels | {one.sample.label for one in new if one.sample.label is not None}) > 1


def _name_contradiction(
    index: int,
    group: Sequence[int],
    before: Sequence[ManifestImage],
    taken: Sequence[TakenSample],
    problems: Problems,
) -> None:
    others = [
        before[other].name if other < len(before) else taken[other - len(before)].sample.name
        for other in group
        if other != index
    ]
    one = taken[index - len(before)]
    what = "with another mask" if one.mask_sha256 else "under another class"
    problems.add(
        one.sample.name,
        "two_labels",
        f"The same image also comes {what}, as {others[0][:200]}. Decide which is right and remove the others.",
    )


def _all_but_one(group: Sequence[int], new: Sequence[int], before: int, taken: Sequence[TakenSample]) -> list[int]:
    """What is dropped of a group: everything new where the version before has the image, else all but the best."""
    if len(new) < len(group):
        return list(new)
    best = min(new, key=lambda index: (KEEP_FIRST.index(taken[index - before].sample.split), index))
    return [index for index in new if index != best]


def _deal(
    kept: Sequence[int],
    before: Sequence[ManifestImage],
    taken: Sequence[TakenSample],
    kin: Kinship,
    splits: Splits,
) -> dict[int, Split]:
    """The split of every kept image: as its archive says, beside what it looks like, or as dealt."""
    given = {index: split for index in kept if (split := taken[index - len(before)].sample.split)}
    free = [index for index in kept if index not in given]
    group_of = {index: number for number, group in enumerate(kin.near) for index in group}
    hands: dict[Hashable, list[int]] = {}
    for index in free:
        hands.setdefault(group_of.get(index, ("alone", index)), []).append(index)
    dealt, left = dict(given), []
    for key, members in hands.items():
        fixed = [before[index].split for index in kin.near[key] if index < len(before)] if isinstance(key, int) else []
        if fixed:
            dealt.update(dict.fromkeys(members, split_beside(fixed)))
        else:
            left.append(_hand(members, [taken[index - len(before)] for index in members]))
    return {**dealt, **deal(left, splits)}


def _hand(members: Sequence[int], samples: Sequence[TakenSample]) -> Hand:
    first = min(samples, key=lambda one: one.sha256)
    return Hand(tuple(members), first.sample.label, first.sha256)


def _place(one: TakenSample, index: int, dealt: dict[int, Split]) -> Place:
    """Where a new image went; for one that was left out, where its archive had it."""
    return Place(
        name=one.sample.name, split=dealt.get(index, one.sample.split), earlier=False, left_out=index not in dealt
    )
