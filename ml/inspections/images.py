"""What kinds that train on labelled images check about them: the task, the size, the augmentation. Never Keras."""

from __future__ import annotations

from collections.abc import Sequence

from records.errors import FieldProblem, InvalidSpec
from records.library import DatasetCard
from records.specs.augmentation import Augmentation
from records.specs.images import ImageSize, sides_of


def check_classification(dataset: DatasetCard) -> None:
    """Raises InvalidSpec where the dataset's images have no classes to learn, or there is nothing to tell apart."""
    if dataset.task != "classification":
        raise _problem(
            "dataset", f"Expected a dataset for classification, but {dataset.ref!r} is one for {dataset.task}."
        )
    if len(dataset.classes) < 2:
        raise _problem(
            "dataset",
            f"Expected at least 2 classes to tell apart, but {dataset.ref!r} has {len(dataset.classes)}. "
            "Add images of another class.",
        )
    if not dataset.counts.get("train"):
        raise _problem("dataset", f"Expected images to train on, but {dataset.ref!r} has none in its train split.")


def find_sides(size: ImageSize | None, dataset: DatasetCard, *, default: tuple[int, int] | None) -> tuple[int, int]:
    """Height and width of the images that the network gets.

    Args:
        size: what the spec asks for.
        dataset: whose images they are.
        default: what photographs are brought to where the spec says nothing; None where it must.

    Raises:
        InvalidSpec: nothing is said where it must be, or other than the size of a dataset of one size.
    """
    if dataset.image_shape is not None:
        own = dataset.image_shape[:2]
        if size is not None and sides_of(size) != own:
            raise _problem(
                "image_size",
                f"The images of {dataset.ref!r} are {_px(own)} and are not resized, got {_px(sides_of(size))}. "
                "Leave image_size out.",
            )
        return own
    if size is None and default is None:
        raise _problem(
            "image_size",
            f"The photographs of {dataset.ref!r} have many sizes: say what they are brought to, such as 128 for "
            "128 x 128 px, or [96, 128] for height and width.",
        )
    return sides_of(size) if size is not None else default


def check_class_weights(weights: object, classes: Sequence[str]) -> None:
    """Raises InvalidSpec where weights are listed, but not one a class."""
    if isinstance(weights, tuple) and len(weights) != len(classes):
        raise _problem("class_weights", f"Expected {len(classes)} weights, one a class, got {len(weights)}.")


def check_augmentation(augmentation: Augmentation | None, channels: int, *, path: str = "augmentation") -> None:
    """Raises InvalidSpec where colours are to change that grey images do not have; `path` is the augmentation's."""
    if augmentation is None or channels == 3:
        return
    for name in ("saturation", "hue_degrees"):
        if getattr(augmentation, name):
            raise _problem(f"{path}.{name}", "The images are grey and have no colours to change. Leave it out.")


def _problem(path: str, text: str) -> InvalidSpec:
    return InvalidSpec([FieldProblem(path, text)])


def _px(sides: tuple[int, int]) -> str:
    """Width before height, as people say it."""
    return f"{sides[1]} x {sides[0]} px"
