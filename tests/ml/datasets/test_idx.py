"""Reading IDX files, whole and broken."""

from __future__ import annotations

import gzip
import struct
import subprocess
import sys

import numpy as np
import pytest

from ml.datasets import load_images
from records.catalogue import IDX_NAMES
from records.errors import DatasetUnreadable, NotFound

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = IDX_NAMES


def idx(values):
    values = np.asarray(values, np.uint8)
    return bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


@pytest.fixture
def folder(tmp_path):
    """Three images of 2 x 4 px to train, two to test."""
    (tmp_path / TRAIN_IMAGES).write_bytes(idx(np.arange(24).reshape(3, 2, 4)))
    (tmp_path / TRAIN_LABELS).write_bytes(idx([7, 0, 9]))
    (tmp_path / TEST_IMAGES).write_bytes(idx(np.arange(200, 216).reshape(2, 2, 4)))
    (tmp_path / TEST_LABELS).write_bytes(idx([1, 1]))
    return tmp_path


def test_the_four_files_become_images_and_labels(folder):
    images = load_images("mnist", folder)
    assert images.train_images.shape == (3, 2, 4, 1)
    assert images.train_images.dtype == images.test_images.dtype == np.uint8
    assert images.train_images[1, :, :, 0].tolist() == [[8, 9, 10, 11], [12, 13, 14, 15]]
    assert images.test_images[1, 1, 3, 0] == 215
    assert images.train_labels.tolist() == [7, 0, 9]
    assert images.test_labels.dtype == images.train_labels.dtype == np.int64
    assert images.classes == tuple("0123456789")
    assert images.image_shape == (2, 4, 1)


def test_what_was_read_cannot_be_changed(folder):
    images = load_images("mnist", folder)
    for array in (images.train_images, images.train_labels, images.test_images, images.test_labels):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_a_dataset_that_is_not_in_the_catalogue_is_not_found(folder):
    with pytest.raises(NotFound, match="Did you mean mnist"):
        load_images("mnits", folder)


def test_a_missing_file_is_named(folder):
    (folder / TEST_LABELS).unlink()
    with pytest.raises(DatasetUnreadable, match=f"Cannot read {TEST_LABELS}"):
        load_images("mnist", folder)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "an empty file"),
        (b"\x89PNG\r\n\x1a\n", "89 50 4e 47"),
        (idx([1, 2, 3]), "with 3 axes"),
        (bytes([0, 0, 13, 3]) + bytes(12), "of uint8"),
        (gzip.compress(idx(np.zeros((3, 2, 4)))), "unpack it first"),
        (idx(np.zeros((3, 2, 4)))[:9], "ends within its header"),
        (idx(np.zeros((3, 2, 4)))[:-1], "Expected 40 bytes in train-images-idx3-ubyte for 3 x 2 x 4 values, got 39"),
        (idx(np.zeros((3, 2, 4))) + b"\0", "got 41"),
        (bytes([0, 0, 8, 3]) + b"\xff" * 12, "got 16"),
        (idx(np.zeros((0, 2, 4))), "is empty"),
    ],
    ids=["empty", "png", "labels", "floats", "gzip", "short header", "short", "long", "huge", "no images"],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(folder, content, text):
    (folder / TRAIN_IMAGES).write_bytes(content)
    with pytest.raises(DatasetUnreadable, match=text):
        load_images("mnist", folder)


def test_images_and_labels_must_be_as_many(folder):
    (folder / TRAIN_LABELS).write_bytes(idx([7, 0]))
    with pytest.raises(DatasetUnreadable, match=r"got 3 images in .* and 2 labels"):
        load_images("mnist", folder)


def test_a_label_beyond_the_classes_is_refused(folder):
    (folder / TEST_LABELS).write_bytes(idx([1, 10]))
    with pytest.raises(DatasetUnreadable, match=f"labels of 0 to 9 in {TEST_LABELS}, got 10"):
        load_images("mnist", folder)


def test_both_splits_have_one_image_size(folder):
    (folder / TEST_IMAGES).write_bytes(idx(np.zeros((2, 4, 2))))
    with pytest.raises(DatasetUnreadable, match="got 2 x 4 px to train and 4 x 2 px to test"):
        load_images("mnist", folder)


def test_datasets_are_read_without_tensorflow():
    code = "import sys, ml.datasets; print(*sorted({'keras', 'tensorflow', 'matplotlib'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
