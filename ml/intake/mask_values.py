"""Which class each value of the masks means, in the whole set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ml.intake.mask_layout import CLASSES_FILE, is_ignored
from ml.intake.mask_pixels import name_values
from ml.intake.refusals import FileProblem, SetRefused
from records.intake import IGNORED_CLASS

MOST_UNNAMED = 64
BLACK_AND_WHITE = frozenset({0, 255})
BINARY_NAMES = ("background", "object")


@dataclass(frozen=True)
class ValueNames:
    """The class of each mask value; None for values that belong to no class."""

    names: Mapping[int, str | None]

    @property
    def classes(self) -> tuple[str, ...]:
        """All classes, in the order of their values."""
        return tuple(name for _, name in sorted(self.names.items()) if name is not None)

    def check(self, counts: Mapping[int, int]) -> None:
        """Refuse one mask.

        Args:
            counts: pixels of each value.

        Raises:
            FileProblem: a value has no meaning, or all of them are ignored.
        """
        if unknown := sorted(value for value in counts if value not in self.names):
            known = f"0 to {max(value for value in self.names if value != IGNORED_CLASS)}"
            raise FileProblem(
                "mask_value",
                f"The mask holds {'the value' if len(unknown) == 1 else 'the values'} {name_values(unknown)}; "
                f"{CLASSES_FILE} names {known}. Correct the mask, or name the class.",
            )
        if all(self.names[value] is None for value in counts):
            raise FileProblem("mask_all_ignored", "Every pixel of the mask belongs to no class. Leave the image out.")

    def table(self, classes: Sequence[str]) -> list[int]:
        """The stored value of each of the 256 values that a mask may come with."""
        places = {name: index for index, name in enumerate(classes)}
        return [places.get(self.names.get(value) or "", IGNORED_CLASS) for value in range(256)]


def name_mask_values(found: Iterable[int], value_names: Sequence[str] | None) -> ValueNames:
    """What the values mean: by `classes.txt`, or by themselves.

    Without names, black and white masks (0 and 255) are `background` and `object`; otherwise each value is a class of
    its own, `value 3`, and 255 belongs to none. With two names, black and white masks count as 0 and 1.

    Args:
        found: every value of every mask.
        value_names: the lines of `classes.txt`; None where there is none.

    Raises:
        SetRefused: without names, there are more values than classes could be.
    """
    values = set(found)
    binary = IGNORED_CLASS in values and values <= BLACK_AND_WHITE
    if value_names is None:
        return ValueNames({0: BINARY_NAMES[0], 255: BINARY_NAMES[1]} if binary else _unnamed(values))
    named = {value: None if is_ignored(name) else name for value, name in enumerate(value_names)}
    if binary and len(value_names) == 2:
        return ValueNames({0: named[0], 255: named[1]})
    return ValueNames({IGNORED_CLASS: None, **named})


def _unnamed(values: set[int]) -> dict[int, str | None]:
    if len(values) > MOST_UNNAMED:
        raise SetRefused(
            "mask_values_many",
            f"The masks hold {len(values)} different values, and no {CLASSES_FILE} says what they mean. Were they once "
            f"JPEGs, or drawn with smooth edges? Expected one number a class; name more than {MOST_UNNAMED} classes in "
            f"{CLASSES_FILE}.",
        )
    return {IGNORED_CLASS: None, **{value: f"value {value}" for value in values if value != IGNORED_CLASS}}
