"""All that is known of a set while it is taken in, from stage to stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from ml.intake.gathering import Gathered
from ml.intake.mask_values import ValueNames
from ml.intake.problems import Problems
from ml.intake.reading import TakenSample
from ml.intake.samples import Layout, Sample
from ml.intake.version import Chosen, Kinship
from records.intake import IntakeOptions, Manifest, ManifestImage


@dataclass
class Findings:
    """Filled stage by stage; what a stage has not reached yet is empty."""

    options: IntakeOptions
    parent: Manifest | None = None
    problems: Problems = field(default_factory=Problems)
    gathered: Gathered = field(default_factory=Gathered)
    layout: Layout | None = None
    taken: list[TakenSample] = field(default_factory=list)
    values: ValueNames | None = None
    """Segmentation: what the masks' values mean."""
    channels: Literal[1, 3] | None = None
    kin: Kinship | None = None
    chosen: Chosen | None = None
    classes: tuple[str, ...] = ()
    """Of the whole version."""
    written: list[ManifestImage] = field(default_factory=list)
    """The new images as they are stored; as many, and in the same order, as `chosen.kept`."""

    @property
    def samples(self) -> Sequence[Sample]:
        return self.layout.samples if self.layout else ()

    @property
    def new_classes(self) -> tuple[str, ...]:
        """The classes of this upload: sorted, or in the order of mask values."""
        if self.values:
            return self.values.classes
        kept = self.chosen.kept if self.chosen else ()
        return tuple(sorted({one.sample.label for one in kept if one.sample.label is not None}))

    def classes_in(self, one: TakenSample) -> frozenset[str]:
        """The classes that an image is of, or that its mask holds."""
        if self.values is None:
            return frozenset({one.sample.label} if one.sample.label else ())
        return frozenset(name for value, _ in one.mask_counts if (name := self.values.names[value]) is not None)
