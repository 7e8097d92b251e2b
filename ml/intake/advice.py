"""What a person should look at in a report, as sentences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from records.intake import IntakeReport

NAMED = 5
HIGH_IMBALANCE = 5.0


def write_warnings(report: IntakeReport) -> tuple[str, ...]:
    """The sentences, the gravest first.

    Args:
        report: whole but for its warnings.
    """
    return tuple(
        sentence
        for sentences in (_on_files(report), _on_duplicates(report), _on_classes(report), _on_splits(report))
        for sentence in sentences
    )


def _on_files(report: IntakeReport) -> Iterator[str]:
    if report.bad_files:
        yield f"{_count(report.bad_files, 'file')} cannot be taken in; see the problems."


def _on_duplicates(report: IntakeReport) -> Iterator[str]:
    if report.leakage.count:
        yield (
            f"{_count(report.leakage.count, 'group')} of images that are or look the same "
            f"{_reach(report.leakage.count)} across splits: a network is then tested on what it has learnt by heart. "
            "Keep each group in one split."
        )
    if report.dropped_duplicates:
        yield f"{_count(report.dropped_duplicates, 'image')} left out, because the same one is in the set."
    elif report.exact_duplicates.count:
        yield f"{_count(report.exact_duplicates.count, 'group')} of images with the same content in the set."
    if report.near_duplicates.count:
        yield (
            f"{_count(report.near_duplicates.count, 'group')} of images that look nearly the same: copies in another "
            "size or quality, or pictures of one series."
        )


def _on_classes(report: IntakeReport) -> Iterator[str]:
    if len(report.classes) == 1:
        yield f"There is only one class, {report.classes[0].name}: nothing can be told apart."
    if report.small_classes:
        yield (
            f"{_count(len(report.small_classes), 'class')} of {len(report.classes)} under 100 images: "
            f"{_named(report.small_classes)}. Collect more, or use strong augmentation."
        )
    if report.imbalance is not None and report.imbalance >= HIGH_IMBALANCE:
        yield f"The largest class has {report.imbalance:,.3g} times the images of the smallest. Weigh the classes."
    spellings: dict[str, list[str]] = defaultdict(list)
    for count in report.classes:
        spellings[count.name.casefold()].append(count.name)
    for names in spellings.values():
        if len(names) > 1:
            yield f"The classes {_named(names)} differ only in capital letters. Are they one?"


def _on_splits(report: IntakeReport) -> Iterator[str]:
    for split in ("train", "val", "test"):
        without = [count.name for count in report.classes if not getattr(count, split)]
        if not report.classes:
            return
        if len(without) == len(report.classes):
            yield f"There are no images in {split}."
        elif without:
            yield f"{_count(len(without), 'class')} without images in {split}: {_named(without)}."


def _count(number: int, what: str) -> str:
    plural = {"class": "classes"}.get(what, f"{what}s")
    return f"{number:,} {what if number == 1 else plural}"


def _reach(number: int) -> str:
    return "reaches" if number == 1 else "reach"


def _named(names: tuple[str, ...] | list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
