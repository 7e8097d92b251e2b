"""What a layout makes of an archive's files: samples, each an image with its class, its split or its mask."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ml.intake.gathering import GatheredFile
from ml.intake.refusals import FileProblem, SetRefused
from records.intake import Split

SPLIT_NAMES: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
LONGEST_CLASS_NAME = 100
MOST_CLASSES = 10_000


@dataclass(frozen=True)
class Sample:
    """One image of the set, before anything is decoded."""

    name: str
    """Without the folder around everything."""
    file: GatheredFile
    label: str | None
    """Its class; None in segmentation."""
    split: Split | None
    """As the archive gives it; None where the yard deals."""
    mask: GatheredFile | None = None
    mask_name: str = ""
    """Without the folder around everything."""


@dataclass(frozen=True)
class Layout:
    """The whole set as its archive means it."""

    samples: tuple[Sample, ...]
    """In the order of their names."""
    ready_made_splits: bool
    used: tuple[GatheredFile, ...] = ()
    """Files that are no images, but were read: labels, class names."""
    value_names: tuple[str, ...] | None = None
    """Segmentation: the class of each mask value, from `classes.txt`; None where there is none."""


def class_name(raw: str) -> str:
    """The name of a class as it is kept.

    Raises:
        FileProblem: it is empty, too long, or holds control characters.
    """
    name = unicodedata.normalize("NFC", raw).strip()
    if not name or len(name) > LONGEST_CLASS_NAME or any(unicodedata.category(c) in ("Cc", "Cs") for c in name):
        raise FileProblem(
            "bad_label",
            f"Expected a class of 1 to {LONGEST_CLASS_NAME} characters without control characters. Rename it.",
        )
    return name


def check_classes(labels: Iterable[str]) -> None:
    """Refuse a set with more classes than anybody trains."""
    number = len(set(labels))
    if number > MOST_CLASSES:
        raise SetRefused(
            "too_many_classes",
            f"Expected at most {MOST_CLASSES:,} classes, got {number:,}. Does each image lie in a folder of its own?",
        )


def split_path(name: str) -> tuple[str, ...]:
    """The parts of a name."""
    return tuple(name.split("/"))


def without_tops(name: str, tops: Sequence[str]) -> str:
    """The name without the folders around everything, where it lies in them."""
    prefix = "".join(f"{top}/" for top in tops)
    return name.removeprefix(prefix)
