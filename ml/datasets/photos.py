"""Reading the list of an uploaded dataset: which photographs there are, of which class, in which split.

A staged dataset is a folder with `manifest.json` and `images/`. The photographs are clean JPEG or PNG files of 8 bits,
already turned upright; here they are only listed, nothing is decoded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from records.errors import DatasetUnreadable, shorten

MANIFEST = "manifest.json"
SPLITS = ("train", "val", "test")


@dataclass(frozen=True, eq=False)
class PhotoSet:
    """Labelled photographs of many sizes. All arrays are in the order of the list."""

    files: tuple[Path, ...]
    names: tuple[str, ...]
    """What each was called when it was uploaded."""
    labels: NDArray[np.int64]
    """Each an index into `classes`."""
    sizes: NDArray[np.int64]
    """`[n, 2]`: height and width, in pixels."""
    splits: Mapping[str, NDArray[np.int64]]
    """Places in the list, ascending, by split: `train`, and `val` and `test` where there are such."""
    classes: tuple[str, ...]
    channels: int
    """1 for grey, 3 for colour."""
    digest: str
    """SHA-256 of the list, which names that of every file."""

    @property
    def aspects(self) -> NDArray[np.float32]:
        """Width / height of each."""
        return (self.sizes[:, 1] / self.sizes[:, 0]).astype(np.float32)


def is_photo_folder(folder: Path) -> bool:
    """Whether a staged dataset is one of photographs."""
    return (folder / MANIFEST).is_file()


def list_photos(folder: Path) -> PhotoSet:
    """The photographs of a staged dataset.

    Raises:
        DatasetUnreadable: the list is missing or not of its form, a label is none of the classes, a photograph has
            none, or a file is missing.
    """
    manifest = read_list(folder, _ListOfPhotos)
    labels = np.array([_label(image, manifest) for image in manifest.images], np.int64)
    files = tuple(folder / "images" / image.file for image in manifest.images)
    for file in files:
        if not file.is_file():
            raise DatasetUnreadable(f"Expected {file.name} in {folder.name}/images, but it is not there.")
    return PhotoSet(
        files=files,
        names=tuple(image.name for image in manifest.images),
        labels=labels,
        sizes=sizes_of(manifest),
        splits=splits_of(manifest),
        classes=manifest.classes,
        channels=manifest.channels,
        digest=hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest(),
    )


def sizes_of(listed: ListOf) -> NDArray[np.int64]:
    """`[n, 2]`: height and width of each image, in pixels."""
    return np.array([(image.height, image.width) for image in listed.images], np.int64).reshape(-1, 2)


def splits_of(listed: ListOf) -> dict[str, NDArray[np.int64]]:
    """Places in the list by split, ascending; splits without images are left out."""
    of_split = np.array([image.split for image in listed.images])
    splits = {split: np.flatnonzero(of_split == split) for split in SPLITS}
    return {split: places for split, places in splits.items() if len(places)}


class ListedImage(BaseModel):
    """One image of a list."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    file: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    split: Literal["train", "val", "test"]
    mask: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    label: int | None = None
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    name: str = ""


class ListOf(BaseModel):
    """The list of a staged dataset, whatever it is for."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    form: Literal[1]
    task: Literal["classification", "segmentation"]
    classes: tuple[str, ...]
    channels: Literal[1, 3]
    images: tuple[ListedImage, ...]


class _ListOfPhotos(ListOf):
    task: Literal["classification"]


L = TypeVar("L", bound=ListOf)


def read_list(folder: Path, form: type[L]) -> L:
    """The list of a staged dataset.

    Raises:
        DatasetUnreadable: it is missing or not of this form.
    """
    try:
        return form.model_validate_json((folder / MANIFEST).read_bytes())
    except OSError as error:
        raise DatasetUnreadable(f"Cannot read {MANIFEST} in {folder.name}: {error.strerror}.") from error
    except ValidationError as error:
        first: Any = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DatasetUnreadable(
            f"Expected a list of images in {MANIFEST} of {folder.name}, but {where or 'it'}: {shorten(first['msg'])}."
        ) from error
    except (ValueError, RecursionError) as error:
        raise DatasetUnreadable(f"{MANIFEST} in {folder.name} is not JSON: {shorten(error)}.") from error


def _label(image: ListedImage, manifest: ListOf) -> int:
    if image.label is None or not 0 <= image.label < len(manifest.classes):
        raise DatasetUnreadable(
            f"Expected a label of 0 to {len(manifest.classes) - 1} for {image.file}, got {image.label}."
        )
    return image.label
