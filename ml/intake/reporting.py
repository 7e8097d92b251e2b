"""The report on one upload."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median

from ml.intake.advice import write_warnings
from ml.intake.findings import Findings
from records.intake import (
    ClassCount,
    Conversions,
    Found,
    Groups,
    IntakeReport,
    Place,
    Range,
    Sizes,
    Split,
)

MOST_GROUPS, MOST_IN_GROUP = 200, 50
SMALL_CLASS = 100


def make_report(found: Findings) -> IntakeReport:
    """What is known, as far as the set came."""
    classes = _count_classes(found)
    totals = [count.total for count in classes]
    before = found.parent.images if found.parent else ()
    kept = found.chosen.kept if found.chosen else ()
    leakage = _leaks(found)
    report = IntakeReport(
        task=found.options.task,
        found=_found(found),
        images=len(before) + len(kept),
        new_images=len(kept),
        channels=found.channels,
        ready_made_splits=bool(found.layout and found.layout.ready_made_splits),
        classes=classes,
        sizes=_sizes(found),
        formats=dict(sorted(Counter(one.came_as for one in found.taken).items())),
        problem_counts=dict(sorted(found.problems.counts.items())),
        problems=found.problems.listed(),
        more_problems=found.problems.more,
        bad_files=found.problems.bad,
        exact_duplicates=_groups(found, found.kin.exact if found.kin else ()),
        dropped_duplicates=found.chosen.dropped if found.chosen else 0,
        near_duplicates=_groups(found, _merely_near(found)),
        leakage=_groups(found, leakage),
        imbalance=round(max(totals) / min(totals), 2) if totals and min(totals) else None,
        small_classes=tuple(count.name for count in classes if count.total < SMALL_CLASS),
        conversions=Conversions(**Counter(code for one in found.taken for code in one.conversions)),
        warnings=(),
    )
    return report.model_copy(update={"warnings": write_warnings(report)})


def _found(found: Findings) -> Found:
    images = [file for file in found.gathered.files if file.is_image]
    masks = sum(sample.mask is not None for sample in found.samples)
    return Found(
        entries=found.gathered.entries,
        images=len(images) - masks,
        masks=masks,
        ignored=found.gathered.ignored,
        ignored_names=tuple(found.gathered.ignored_names),
        bytes=found.gathered.bytes,
    )


def _count_classes(found: Findings) -> tuple[ClassCount, ...]:
    splits: dict[str, Counter[Split]] = {name: Counter() for name in found.classes}
    new: Counter[str] = Counter()
    if found.parent:
        for image in found.parent.images:
            if image.label is not None:
                splits[found.parent.classes[image.label]][image.split] += 1
    if found.chosen:
        for one, split in zip(found.chosen.kept, found.chosen.splits, strict=True):
            for name in found.classes_in(one):
                splits[name][split] += 1
                new[name] += 1
    shares = _pixel_shares(found)
    return tuple(
        ClassCount(
            name=name,
            train=counts["train"],
            val=counts["val"],
            test=counts["test"],
            total=counts.total(),
            new=new[name],
            pixel_share=shares.get(name, 0.0) if found.values else None,
        )
        for name, counts in splits.items()
    )


def _pixel_shares(found: Findings) -> dict[str, float]:
    """Share of each class in the labelled pixels of the upload; four decimals."""
    if found.values is None or found.chosen is None:
        return {}
    pixels: Counter[str] = Counter()
    for one in found.chosen.kept:
        for value, count in one.mask_counts:
            if (name := found.values.names[value]) is not None:
                pixels[name] += count
    return {name: round(count / pixels.total(), 4) for name, count in pixels.items()}


def _sizes(found: Findings) -> Sizes | None:
    if not found.taken:
        return None
    widths, heights = zip(*(one.came_size for one in found.taken), strict=True)
    return Sizes(width=_range(widths), height=_range(heights))


def _range(values: Sequence[int]) -> Range:
    return Range(min=min(values), median=median(values), max=max(values))


# ── groups of duplicates ─────────────────────────────────────────────────────────────────────────────────────


def _merely_near(found: Findings) -> list[list[int]]:
    """Groups that hold more than copies of one image."""
    if found.kin is None:
        return []
    exact = {frozenset(group) for group in found.kin.exact}
    return [group for group in found.kin.near if frozenset(group) not in exact]


def _leaks(found: Findings) -> list[list[int]]:
    """Groups that reach across splits, as the archive had them or as they are."""
    if found.kin is None or found.chosen is None:
        return []
    places = found.chosen.places
    return [group for group in found.kin.near if len({places[i].split for i in group} - {None}) > 1]


def _groups(found: Findings, groups: Iterable[Sequence[int]]) -> Groups:
    listed: list[tuple[Place, ...]] = []
    count = 0
    for group in groups:
        count += 1
        if found.chosen and len(listed) < MOST_GROUPS:
            listed.append(tuple(found.chosen.places[index] for index in group[:MOST_IN_GROUP]))
    return Groups(count=count, groups=tuple(listed))
