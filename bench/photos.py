"""A folder of photographs as a staged dataset, for benchmarks: any folder with `train` and `val`, a folder a class."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from PIL import Image

from bench.setting import CannotMeasure

NAME = "hymenoptera"
SPLITS = ("train", "val")


def find_photos() -> Path:
    """Ants and bees (244 and 153 photographs), in a folder that `TRAINYARD_DATA` names.

    Raises:
        CannotMeasure: there is none.
    """
    for folder in os.environ.get("TRAINYARD_DATA", "").split(":"):
        if folder and (Path(folder) / NAME / "train").is_dir():
            return Path(folder) / NAME
    raise CannotMeasure(f"No folder {NAME}/train of photographs lies in TRAINYARD_DATA.")


def stage_photos(source: Path, target: Path, *, copies: int = 1) -> Path:
    """Write the manifest and the files, each so many times, under the form in which a worker stages an upload."""
    (target / "images").mkdir(parents=True)
    classes = sorted(path.name for path in (source / "train").iterdir() if path.is_dir())
    images: list[dict[str, Any]] = []
    for split in SPLITS:
        for label, name in enumerate(classes):
            for file in sorted((source / split / name).iterdir()):
                images += [_stage(file, target, split, label, len(images) + copy) for copy in range(copies)]
    manifest = {"form": 1, "task": "classification", "classes": classes, "channels": 3, "images": images}
    (target / "manifest.json").write_text(json.dumps(manifest))
    return target


def _stage(file: Path, target: Path, split: str, label: int, number: int) -> dict[str, Any]:
    name = f"p1-{number:06d}.jpg"
    shutil.copyfile(file, target / "images" / name)
    with Image.open(file) as image:
        width, height = image.size
    return {
        "pack": "bench",
        "file": name,
        "mask": None,
        "split": split,
        "label": label,
        "width": width,
        "height": height,
        "name": f"{file.parent.name}/{file.name}",
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }
