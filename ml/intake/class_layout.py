"""Finding the layout of a set for classification: a folder a class, ready-made splits, or a CSV of labels."""

from __future__ import annotations

from collections.abc import Sequence

from ml.intake.gathering import GatheredFile
from ml.intake.label_table import find_table, read_table
from ml.intake.problems import Problems
from ml.intake.refusals import FileProblem, SetRefused
from ml.intake.samples import SPLIT_NAMES, Layout, Sample, check_classes, class_name, split_path, without_tops
from records.intake import IntakeOptions, Split


def find_class_layout(files: Sequence[GatheredFile], options: IntakeOptions, problems: Problems) -> Layout:
    """What the archive means, found by itself.

    Args:
        files: all of it.
        options: `labels` names a CSV that counts instead of folders.
        problems: takes the images that lie outside of the layout.

    Raises:
        SetRefused: there is nothing that says which class an image is of.
    """
    images = [file for file in files if file.is_image]
    if not images:
        raise SetRefused("no_images", "Expected images (JPEG, PNG, WebP, BMP, TIFF, GIF), got none.")
    flat = len({file.name.rpartition("/")[0] for file in images}) == 1
    table = find_table(files, options.labels, search=flat)
    layout = read_table(table, images, problems) if table else _by_folders(images, problems)
    check_classes(sample.label for sample in layout.samples if sample.label is not None)
    return layout


def _tops(names: Sequence[str]) -> tuple[str, ...]:
    """The folders around everything, from the outside: those that hold neither classes nor splits."""
    tops: list[str] = []
    paths = [split_path(name) for name in names]
    while True:
        first = {path[0] for path in paths if len(path) > 1}
        if len(first) != 1 or any(len(path) == 1 for path in paths):
            return tuple(tops)
        (top,) = first
        inside = {path[1] for path in paths if len(path) > 2}
        loose = any(len(path) == 2 for path in paths)
        if top.lower() in SPLIT_NAMES or not inside or (loose and len(inside) < 2):
            return tuple(tops)
        tops.append(top)
        paths = [path[1:] for path in paths]


def _by_folders(images: Sequence[GatheredFile], problems: Problems) -> Layout:
    tops = _tops([file.name for file in images])
    names = [without_tops(file.name, tops) for file in images]
    first = {path[0].lower() for path in map(split_path, names) if len(path) > 1}
    if not first:
        raise SetRefused(
            "no_labels",
            "Nothing says which class an image is of. Expected a folder a class, or train, val and test folders with "
            "class folders in them, or a CSV with the columns file,label beside the images.",
        )
    ready_made = "train" in {SPLIT_NAMES.get(name) for name in first} or first <= SPLIT_NAMES.keys()
    samples = []
    for file, name in zip(images, names, strict=True):
        try:
            split, label = _place(split_path(name), ready_made=ready_made)
            samples.append(Sample(name, file, class_name(label), split))
        except FileProblem as problem:
            problems.add(name, problem.code, problem.text)
    return Layout(tuple(samples), ready_made)


def _place(path: tuple[str, ...], *, ready_made: bool) -> tuple[Split | None, str]:
    """Split and class of an image by the folders that it lies in."""
    if not ready_made:
        if len(path) < 2:
            raise FileProblem("outside_layout", "The image lies beside the folders of the classes. Move it into one.")
        return None, path[0]
    split = SPLIT_NAMES.get(path[0].lower())
    if split is None or len(path) < 3:
        raise FileProblem(
            "outside_layout",
            "The set has a train folder, so every image must lie in SPLIT/CLASS/, with train, val or test as SPLIT; "
            "this one does not. Move it.",
        )
    return split, path[1]
