"""Pictures with masks: reading the list of a dataset for segmentation, and its pictures one by one.

A staged dataset is a folder with `manifest.json` and `images/`, in which the masks lie too: 8-bit grey PNGs with class
indices, 255 for pixels that belong to no class. Pictures keep their sizes. Pillow and numpy only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from ml.datasets.photos import MANIFEST, ListOf, read_list, sizes_of, splits_of
from ml.sizing import HELD_BYTES
from records.errors import DatasetUnreadable
from records.intake import IGNORED_CLASS

Rows = NDArray[np.int64]


class Scene(NamedTuple):
    """A picture and the class of each of its pixels."""

    pixels: NDArray[np.uint8]
    """`[height, width, channels]`, 0 to 255."""
    mask: NDArray[np.uint8]
    """`[height, width]`, indices of classes, or `IGNORED_CLASS`."""


@dataclass(frozen=True, eq=False)
class SceneSet:
    """Pictures of many sizes with their masks, in the order of the list."""

    images: tuple[Path, ...]
    masks: tuple[Path, ...]
    names: tuple[str, ...]
    """What each picture was called when it was uploaded."""
    sizes: NDArray[np.int64]
    """`[n, 2]`: height and width, in pixels."""
    splits: Mapping[str, Rows]
    """Places in the list, ascending, by split: `train`, and `val` and `test` where there are such."""
    classes: tuple[str, ...]
    channels: int
    """1 for grey, 3 for colour."""
    digest: str
    """SHA-256 of the list."""


class _ListOfScenes(ListOf):
    task: Literal["segmentation"]


def list_scenes(folder: Path) -> SceneSet:
    """The pictures and masks of a staged dataset.

    Raises:
        DatasetUnreadable: the list is missing or not of its form, a picture has no mask, or a file is missing.
    """
    listed = read_list(folder, _ListOfScenes)
    images = tuple(folder / "images" / image.file for image in listed.images)
    masks = tuple(folder / "images" / (image.mask or "") for image in listed.images)
    for image, mask in zip(listed.images, masks, strict=True):
        if image.mask is None:
            raise DatasetUnreadable(f"Expected a mask for {image.file} ({image.name}), got none.")
        for file in (folder / "images" / image.file, mask):
            if not file.is_file():
                raise DatasetUnreadable(f"Expected {file.name} in {folder.name}/images, but it is not there.")
    return SceneSet(
        images=images,
        masks=masks,
        names=tuple(image.name for image in listed.images),
        sizes=sizes_of(listed),
        splits=splits_of(listed),
        classes=listed.classes,
        channels=listed.channels,
        digest=hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest(),
    )


def read_scene(scenes: SceneSet, row: int, *, channels: int) -> Scene:
    """One picture with its mask.

    Args:
        scenes: the dataset.
        row: which.
        channels: 1 or 3, whatever the file has.

    Raises:
        DatasetUnreadable: a file cannot be decoded, the sizes differ, or the mask holds a value that is no class.
    """
    pixels = _decode(scenes.images[row], "L" if channels == 1 else "RGB")
    pixels, mask = pixels.reshape(*pixels.shape[:2], channels), _decode(scenes.masks[row], "L")
    if pixels.shape[:2] != mask.shape:
        raise DatasetUnreadable(
            f"Expected the mask of {scenes.names[row]} to be {pixels.shape[1]} x {pixels.shape[0]} px as the picture "
            f"is, got {mask.shape[1]} x {mask.shape[0]} px."
        )
    unknown = np.unique(mask[(mask >= len(scenes.classes)) & (mask != IGNORED_CLASS)])
    if len(unknown):
        raise DatasetUnreadable(
            f"Expected values of 0 to {len(scenes.classes) - 1} in {scenes.masks[row].name} ({scenes.names[row]}), or "
            f"{IGNORED_CLASS} for no class, got {unknown[0]}."
        )
    return Scene(pixels, mask)


class HeldScenes:
    """Some pictures of a dataset: up to `HELD_BYTES` of them are decoded once and held, more are read anew each time.

    Args:
        scenes: the dataset.
        rows: which of them, in this order.
        channels: 1 or 3, whatever the files have.
        threads: that decode.
    """

    def __init__(self, scenes: SceneSet, rows: Rows, *, channels: int, threads: int) -> None:
        self._scenes, self._channels, self.rows = scenes, channels, rows
        size = int(scenes.sizes[rows].prod(axis=1).sum()) * (channels + 1)
        self._held: list[Scene] | None = None
        if size <= HELD_BYTES:
            with ThreadPoolExecutor(threads) as pool:
                self._held = list(pool.map(self._read, range(len(rows))))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Scene:
        """The scene at this place. Raises DatasetUnreadable where its files cannot be read."""
        return self._read(index) if self._held is None else self._held[index]

    def name(self, index: int) -> str:
        """What the picture at this place was called."""
        return self._scenes.names[self.rows[index]]

    def count_pixels(self) -> NDArray[np.int64]:
        """Pixels of each class, `[classes]`; those of no class count nowhere."""
        counts = np.zeros(256, np.int64)
        for index in range(len(self)):
            counts += np.bincount(self[index].mask.ravel(), minlength=256)
        return counts[: len(self._scenes.classes)]

    def _read(self, index: int) -> Scene:
        return read_scene(self._scenes, int(self.rows[index]), channels=self._channels)


def _decode(path: Path, mode: str) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as picture:
            return np.asarray(picture if picture.mode == mode else picture.convert(mode))
    except (OSError, UnidentifiedImageError, ValueError) as error:
        raise DatasetUnreadable(
            f"Expected {path.name} to be a JPEG or PNG file, but it cannot be decoded: {error}."
        ) from error
