"""Finding the layout of a set for segmentation: `images/` and `masks/` with the same stems, perhaps in splits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from ml.intake.gathering import GatheredFile
from ml.intake.problems import Problems
from ml.intake.refusals import FileProblem, SetRefused
from ml.intake.samples import SPLIT_NAMES, Layout, Sample, class_name, split_path, without_tops
from records.errors import shorten
from records.intake import IGNORED_CLASS, Split

SIDES = ("images", "masks")
CLASSES_FILE = "classes.txt"
LARGEST_CLASSES_BYTES = 100_000
IGNORED_NAMES = ("unlabelled", "unlabeled", "ignore")


@dataclass
class _Pair:
    """The files of one stem."""

    split: Split | None
    images: list[GatheredFile] = field(default_factory=list)
    masks: list[GatheredFile] = field(default_factory=list)


def find_mask_layout(files: Sequence[GatheredFile], problems: Problems) -> Layout:
    """What the archive means, found by itself.

    Args:
        files: all of it.
        problems: takes images without mask, masks without image, and files outside of the layout.

    Raises:
        SetRefused: there are no such folders, or `classes.txt` cannot be read.
    """
    images = [file for file in files if file.is_image]
    tops = _tops([file.name for file in images])
    pairs: dict[tuple[str | None, str], _Pair] = {}
    for file in images:
        _sort_in(file, without_tops(file.name, tops), pairs, problems)
    if not any(pair.images for pair in pairs.values()) or not any(pair.masks for pair in pairs.values()):
        raise SetRefused(
            "no_masks",
            "Expected images in a folder `images` and their masks under the same names in a folder `masks`, both at "
            "the top or both in train, val and test; found none.",
        )
    samples = []
    for pair in pairs.values():
        if sample := _sample(pair, tops, problems):
            samples.append(sample)
    classes = _classes_file(files)
    return Layout(
        tuple(sorted(samples, key=lambda sample: sample.name)),
        ready_made_splits=any(sample.split for sample in samples),
        used=(classes,) if classes else (),
        value_names=_read_classes(classes) if classes else None,
    )


def is_ignored(name: str) -> bool:
    """Whether a class of `classes.txt` means: belongs to no class."""
    return name.lower() in IGNORED_NAMES


def _tops(names: Sequence[str]) -> tuple[str, ...]:
    """The folders around everything, from the outside."""
    tops: list[str] = []
    paths = [split_path(name) for name in names]
    while True:
        first = {path[0] for path in paths}
        if len(first) != 1 or any(len(path) == 1 for path in paths):
            return tuple(tops)
        (top,) = first
        if top.lower() in (*SIDES, *SPLIT_NAMES):
            return tuple(tops)
        tops.append(top)
        paths = [path[1:] for path in paths]


def _sort_in(file: GatheredFile, name: str, pairs: dict[tuple[str | None, str], _Pair], problems: Problems) -> None:
    path = split_path(name)
    split = SPLIT_NAMES.get(path[0].lower()) if len(path) > 2 else None
    side, *rest = path[1:] if split else path
    if side.lower() not in SIDES or not rest:
        problems.add(name, "outside_layout", "The file lies in neither `images` nor `masks`. Move it or leave it out.")
        return
    stem = "/".join(rest).rpartition(".")[0] or "/".join(rest)
    pair = pairs.setdefault((split, stem), _Pair(split))
    (pair.images if side.lower() == "images" else pair.masks).append(file)


def _sample(pair: _Pair, tops: Sequence[str], problems: Problems) -> Sample | None:
    try:
        _check(pair)
    except FileProblem as problem:
        for file in (*pair.images, *pair.masks):
            problems.add(without_tops(file.name, tops), problem.code, problem.text)
        return None
    (image,), (mask,) = pair.images, pair.masks
    names = without_tops(image.name, tops), without_tops(mask.name, tops)
    return Sample(names[0], image, None, pair.split, mask, names[1])


def _check(pair: _Pair) -> None:
    if not pair.masks:
        raise FileProblem("mask_missing", "The image has no mask of the same name in `masks`. Add one or leave it out.")
    if not pair.images:
        raise FileProblem("image_missing", "The mask has no image of the same name in `images`. Leave it out.")
    if len(pair.images) > 1 or len(pair.masks) > 1:
        raise FileProblem(
            "same_stem",
            "Several images, or several masks, differ only in their extension. Keep one image and one mask.",
        )


# ── classes.txt ──────────────────────────────────────────────────────────────────────────────────────────────


def _classes_file(files: Sequence[GatheredFile]) -> GatheredFile | None:
    by_depth: dict[int, list[GatheredFile]] = defaultdict(list)
    for file in files:
        if split_path(file.name)[-1].lower() == CLASSES_FILE:
            by_depth[file.name.count("/")].append(file)
    if not by_depth:
        return None
    highest = by_depth[min(by_depth)]
    if len(highest) > 1:
        raise SetRefused(
            "classes_unreadable", f"Expected one {CLASSES_FILE}, got {len(highest)}. Keep one, at the top."
        )
    return highest[0]


def _read_classes(file: GatheredFile) -> tuple[str, ...]:
    """One name a line; the first is value 0."""
    if file.content.size > LARGEST_CLASSES_BYTES:
        raise _unreadable(f"it has {file.content.size:,} bytes")
    try:
        lines = file.content.read().decode("utf-8-sig").rstrip().splitlines()
        names = tuple(class_name(line) for line in lines)
    except UnicodeDecodeError as error:
        raise _unreadable("it is not in UTF-8") from error
    except FileProblem as problem:
        raise _unreadable(problem.text) from problem
    if not 1 <= len(names) <= IGNORED_CLASS + 1:
        raise _unreadable(f"it names {len(names)} classes, 1 to {IGNORED_CLASS + 1} can be")
    counted = [name for name in names if not is_ignored(name)]
    if twice := {name for name in counted if counted.count(name) > 1}:
        raise _unreadable(f"it names {shorten(', '.join(sorted(twice)))} twice")
    if not counted:
        raise _unreadable("every class in it is ignored")
    return names


def _unreadable(why: str) -> SetRefused:
    return SetRefused(
        "classes_unreadable",
        f"Expected one class name a line in {CLASSES_FILE}, in the order of the mask values from 0; {why}.",
    )
