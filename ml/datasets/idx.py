"""Reading the four plain IDX files of MNIST and its kin (http://yann.lecun.com/exdb/mnist/).

A file is: two zero bytes, the type (8 is uint8), the number of axes, each axis's length as a big-endian 32-bit number,
then the values in C order.
"""

from __future__ import annotations

import struct
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.datasets.images import ImageSet
from records.catalogue import IDX_NAMES, find_dataset
from records.errors import DatasetUnreadable

UINT8 = 0x08


def load_images(name: str, folder: Path) -> ImageSet:
    """The dataset of that name from a folder with its four plain files.

    Images are mapped from the files, not copied, so children that share a machine share the memory too.

    Raises:
        NotFound: the catalogue has no such dataset.
        DatasetUnreadable: a file is missing, cut off, or not what its name says; or labels and images do not match.
    """
    classes = find_dataset(name).classes
    train_images, train_labels = _read_split(folder, IDX_NAMES[0], IDX_NAMES[1], len(classes))
    test_images, test_labels = _read_split(folder, IDX_NAMES[2], IDX_NAMES[3], len(classes))
    if train_images.shape[1:] != test_images.shape[1:]:
        raise DatasetUnreadable(
            f"Expected images of one size in {folder.name}, got {_size(train_images)} to train and "
            f"{_size(test_images)} to test. Fetch the dataset again."
        )
    return ImageSet(name, train_images, train_labels, test_images, test_labels, classes)


def read_idx(path: Path, axes: int) -> NDArray[np.uint8]:
    """The values of one plain IDX file of uint8, mapped and read-only.

    Raises:
        DatasetUnreadable: the file is missing, has another type or number of axes, or another size than it says.
    """
    shape = _read_header(path, axes)
    offset = 4 + 4 * axes
    expected = offset + prod(shape)
    size = path.stat().st_size
    if size != expected:
        raise DatasetUnreadable(
            f"Expected {expected} bytes in {path.name} for {' x '.join(map(str, shape))} values, got {size}. "
            "Fetch the dataset again."
        )
    return np.memmap(path, np.uint8, mode="r", offset=offset, shape=shape).view(np.ndarray)


def _read_header(path: Path, axes: int) -> tuple[int, ...]:
    try:
        with path.open("rb") as file:
            header = file.read(4 + 4 * axes)
    except OSError as error:
        raise DatasetUnreadable(f"Cannot read {path.name} in {path.parent.name}: {error.strerror}.") from error
    expected = bytes([0, 0, UINT8, axes])
    if header[:4] != expected:
        packed = " It is packed with gzip; unpack it first." if header[:2] == b"\x1f\x8b" else ""
        raise DatasetUnreadable(
            f"Expected {path.name} to be an IDX file of uint8 with {axes} axes, which begins with {expected.hex(' ')}, "
            f"got {header[:4].hex(' ') or 'an empty file'}.{packed or ' Fetch the dataset again.'}"
        )
    if len(header) < 4 + 4 * axes:
        raise DatasetUnreadable(f"{path.name} ends within its header. Fetch the dataset again.")
    shape: tuple[int, ...] = struct.unpack(f">{axes}I", header[4:])
    if 0 in shape:
        raise DatasetUnreadable(f"{path.name} is empty: its header says {' x '.join(map(str, shape))} values.")
    return shape


def _read_split(
    folder: Path, images_name: str, labels_name: str, classes: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    images = read_idx(folder / images_name, 3)[..., np.newaxis]
    labels = read_idx(folder / labels_name, 1).astype(np.int64)
    labels.flags.writeable = False
    if len(images) != len(labels):
        raise DatasetUnreadable(
            f"Expected one label an image, got {len(images)} images in {images_name} and {len(labels)} labels in "
            f"{labels_name}."
        )
    if labels.max() >= classes:
        raise DatasetUnreadable(f"Expected labels of 0 to {classes - 1} in {labels_name}, got {labels.max()}.")
    return images, labels


def _size(images: NDArray[np.uint8]) -> str:
    return f"{images.shape[1]} x {images.shape[2]} px"
