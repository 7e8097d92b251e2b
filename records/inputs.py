"""What an attempt needs on its machine before it begins. A worker stages each; a recipe finds it by its role."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DatasetInput:
    """A dataset, staged as a folder."""

    ref: str
    """As in `records.library.DatasetCard`."""


@dataclass(frozen=True)
class ArtifactInput:
    """A kept file of an earlier job, staged as a file."""

    job_id: int
    name: str


@dataclass(frozen=True)
class WeightsInput:
    """Pretrained weights, staged as a file."""

    name: str
    """As in `records.weights`."""


@dataclass(frozen=True)
class FirstWeightsInput:
    """Pretrained weights, staged as a file: the first of several that can be had. The file's hash tells which."""

    names: tuple[str, ...]
    """As in `records.weights`, the best first."""


@dataclass(frozen=True)
class PictureInput:
    """An uploaded picture, staged as a file."""

    picture_id: int


Input = DatasetInput | ArtifactInput | WeightsInput | FirstWeightsInput | PictureInput
