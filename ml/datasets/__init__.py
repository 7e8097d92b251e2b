"""Labelled images: reading, keeping them ready, setting a validation part aside, weighing classes, showing samples.

Needs numpy and Pillow, never TensorFlow.
"""

from __future__ import annotations

from ml.datasets.idx import load_images
from ml.datasets.images import ImageSet, Part, Parts
from ml.datasets.photos import PhotoSet, is_photo_folder, list_photos
from ml.datasets.sheet import sample_sheet
from ml.datasets.split import split_validation
from ml.datasets.weights import class_weights

__all__ = [
    "ImageSet",
    "Part",
    "Parts",
    "PhotoSet",
    "class_weights",
    "is_photo_folder",
    "list_photos",
    "load_images",
    "sample_sheet",
    "split_validation",
]
