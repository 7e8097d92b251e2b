"""Staged folders of pictures with masks, as a worker makes them of an uploaded dataset: bright shapes on noise."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("background", "disc", "square")
SIZES = ((48, 64), (60, 44), (28, 52))
"""Height and width, in turn."""
IGNORED = 255


def write_scenes(
    folder: Path,
    counts: Mapping[str, int],
    *,
    channels: int = 3,
    sizes: Sequence[tuple[int, int]] = SIZES,
    classes: Sequence[str] = CLASSES,
    seed: int = 0,
) -> Path:
    """Write so many pictures of each split."""
    (folder / "images").mkdir(parents=True)
    rng, images = np.random.default_rng(seed), []
    for split, count in counts.items():
        for number in range(count):
            size = sizes[number % len(sizes)]
            pixels, mask = draw(size, rng)
            name = f"p1-{len(images):06d}"
            picture = Image.fromarray(pixels)
            (picture if channels == 3 else picture.convert("L")).save(folder / "images" / f"{name}.png")
            Image.fromarray(mask).save(folder / "images" / f"{name}.mask.png")
            images.append(
                {
                    "pack": "p1-0.zip",
                    "file": f"{name}.png",
                    "mask": f"{name}.mask.png",
                    "split": split,
                    "label": None,
                    "width": size[1],
                    "height": size[0],
                    "name": f"images/{split}{number}.png",
                    "sha256": "0" * 64,
                }
            )
    manifest = {"form": 1, "task": "segmentation", "classes": list(classes), "channels": channels, "images": images}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def draw(size: tuple[int, int], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A red disc and a green square on dark noise, uint8 `[height, width, 3]`, and the mask; a corner has no class."""
    pixels = rng.integers(0, 60, (*size, 3), np.uint8)
    mask = np.zeros(size, np.uint8)
    down, right = np.mgrid[: size[0], : size[1]]
    radius = min(size) * 0.18
    for index, colour in ((1, (220, 60, 60)), (2, (60, 220, 60))):
        y, x = (rng.uniform(radius, side - radius) for side in size)
        far = np.hypot(down - y, right - x) if index == 1 else np.maximum(abs(down - y), abs(right - x))
        pixels[far < radius], mask[far < radius] = colour, index
    mask[:3, :3] = IGNORED
    return pixels, mask
