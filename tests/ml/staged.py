"""Staged folders of photographs, as a worker makes them of an uploaded dataset: small shapes on noise."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

CLASSES = ("stripes", "disc", "square")
SIZES = ((48, 64), (60, 44), (52, 52))
"""Height and width, in turn."""


def write_staged(
    folder: Path,
    counts: Mapping[str, int],
    *,
    classes: Sequence[str] = CLASSES,
    channels: int = 3,
    suffix: str = ".jpg",
    sizes: Sequence[tuple[int, int]] = SIZES,
    seed: int = 0,
) -> Path:
    """Write so many photographs of each split, the classes in turn."""
    (folder / "images").mkdir(parents=True)
    rng, images = np.random.default_rng(seed), []
    for split, count in counts.items():
        for number in range(count):
            label, size = number % len(classes), sizes[number % len(sizes)]
            file = f"p1-{len(images):06d}{suffix}"
            picture = Image.fromarray(draw(classes[label], size, rng))
            (picture if channels == 3 else picture.convert("L")).save(folder / "images" / file, quality=95)
            images.append(entry(folder, file, split, label, size, name=f"{classes[label]}/{number}{suffix}"))
    write_manifest(folder, classes, channels, images)
    return folder


def write_pictures(folder: Path, pictures: Sequence[np.ndarray], *, channels: int = 3, suffix: str = ".png") -> Path:
    """Write given pictures, all to train on, the classes in turn."""
    (folder / "images").mkdir(parents=True)
    images = []
    for number, picture in enumerate(pictures):
        file = f"p1-{number:06d}{suffix}"
        Image.fromarray(picture).save(folder / "images" / file, quality=98)
        images.append(entry(folder, file, "train", number % 2, picture.shape[:2], name=file))
    write_manifest(folder, CLASSES[:2], channels, images)
    return folder


def entry(folder: Path, file: str, split: str, label: int, size: tuple[int, int], *, name: str) -> dict[str, Any]:
    """A line of the manifest."""
    digest = hashlib.sha256((folder / "images" / file).read_bytes()).hexdigest()
    return {
        "pack": "0" * 64,
        "file": file,
        "mask": None,
        "split": split,
        "label": label,
        "width": size[1],
        "height": size[0],
        "name": name,
        "sha256": digest,
    }


def write_manifest(folder: Path, classes: Sequence[str], channels: int, images: Sequence[Mapping[str, Any]]) -> None:
    """Write the list."""
    manifest = {"form": 1, "task": "classification", "classes": list(classes), "channels": channels, "images": images}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def draw(shape: str, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A bright shape somewhere on dark noise, uint8 `[height, width, 3]`."""
    image = rng.integers(0, 60, (*size, 3), np.uint8)
    down, right = np.mgrid[: size[0], : size[1]]
    colour = rng.integers(160, 256, 3)
    if shape == "stripes":
        image[(down + rng.integers(8)) % 8 < 4] = colour
    else:
        radius = min(size) * rng.uniform(0.25, 0.35)
        y, x = size[0] / 2 + rng.uniform(-5, 5), size[1] / 2 + rng.uniform(-5, 5)
        far = np.hypot(down - y, right - x) if shape == "disc" else np.maximum(abs(down - y), abs(right - x))
        image[far < radius] = colour
    return image
