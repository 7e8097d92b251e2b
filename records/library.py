"""What a spec may refer to: datasets by name, earlier jobs by number, as far as its sender can see them. Pure.

`ml.kinds.inspect` asks a library; `records.lookup` has the one that looks into the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from records.catalogue import Dataset, find_dataset
from records.errors import NotFound


@dataclass(frozen=True)
class DatasetCard:
    """What must be known of a dataset before a job on it can queue."""

    ref: str
    """Names this version for good: `mnist`, `anna/ants-bees@2`."""
    classes: tuple[str, ...]
    counts: Mapping[str, int]
    """Images in each split that is given: `train`, and `val` and `test` where there are such."""
    channels: int
    """1 for grey, 3 for colour."""
    image_shape: tuple[int, int, int] | None
    """Height, width, channels; None where sizes differ, so that a spec must say what they are brought to."""
    sha256: str
    task: Literal["classification", "segmentation"] = "classification"


@dataclass(frozen=True)
class RunCard:
    """What must be known of an earlier job before another can build on it."""

    job_id: int
    kind: str
    status: str
    spec: Mapping[str, Any]
    artifacts: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each kept file, by name."""


@dataclass(frozen=True)
class ModelCard:
    """What must be known of a version of a registered model before a job can build on it."""

    ref: str
    """Names this version for good: `anna/digits@3`."""
    run: RunCard
    """The job whose result it is."""


@dataclass(frozen=True)
class PictureCard:
    """What must be known of an uploaded picture before a job on it can queue."""

    picture_id: int
    width: int
    height: int


class Library(Protocol):
    """Where a spec's references are looked up."""

    def dataset(self, ref: str) -> DatasetCard:
        """The dataset of that name. Raises NotFound where there is none that may be seen; the text names near ones."""
        ...

    def run(self, job_id: int) -> RunCard:
        """The job of that number. Raises NotFound where there is none that may be seen."""
        ...

    def model(self, ref: str) -> ModelCard:
        """The version of a registered model that `[owner/]name[@alias|@number]` names. Raises NotFound likewise."""
        ...

    def picture(self, picture_id: int) -> PictureCard:
        """The uploaded picture of that number. Raises NotFound where there is none that may be seen."""
        ...


class CatalogueLibrary:
    """The catalogue alone: for notebooks, tests, and wherever there is no database."""

    def dataset(self, ref: str) -> DatasetCard:
        """The catalogue's dataset of that name."""
        return card_of(find_dataset(ref))

    def run(self, job_id: int) -> RunCard:
        """Nothing: without a database there are no jobs."""
        raise NotFound(f"There is no job {job_id} that you can see.")

    def model(self, ref: str) -> ModelCard:
        """Nothing: without a database there are no registered models."""
        raise NotFound(f"There is no registered model {ref!r} that you can see.")

    def picture(self, picture_id: int) -> PictureCard:
        """Nothing: without a database there are no pictures."""
        raise NotFound(f"There is no picture {picture_id} that you can see.")


def card_of(dataset: Dataset) -> DatasetCard:
    """The card of a dataset of the catalogue."""
    return DatasetCard(
        ref=dataset.name,
        classes=dataset.classes,
        counts=dataset.counts,
        channels=dataset.image_shape[-1],
        image_shape=dataset.image_shape,
        sha256=dataset.sha256,
    )
