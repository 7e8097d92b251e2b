"""How many photographs a second reach the network?

The 244 training photographs of ants and bees, eight times over, to batches of 32 at 224 x 224 pixels, each way in a
fresh process, in turn: our pipeline (the first epoch decodes, resizes, writes the ready pictures and reads them; later
ones read), without augmentation and with a random crop and flip; `keras.utils.image_dataset_from_directory` as a
tutorial writes it; and decoding alone, by TensorFlow and, where `--simplejpeg` names an interpreter that has it, by
simplejpeg. A user would pick the tutorial's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.alone import run_python
from bench.baselines import simplejpeg_alone
from bench.photos import find_photos, stage_photos
from bench.results import Aim
from bench.setting import Measured, Setting
from bench.statistics import alternate, figure, ratio

ALONE = "bench.baselines.pipeline_alone"
CROPPED = {"flip": "horizontal", "crop": {"scale": [0.35, 1.0]}}
OF_DECODING, ABOVE, LATER = (Aim(relation="at least", value=value) for value in (0.8, 1.0, 4.0))


def measure(setting: Setting) -> Measured:
    """Images a second, each way."""
    copies, epochs = setting.count(8, 2), setting.count(3, 2)
    source = find_photos()
    staged = stage_photos(source, setting.folder / "staged", copies=copies)
    folders = _copy_folders(source / "train", setting.folder / "folders", copies)
    _keep_training(staged)

    def way(name: str, **more: Any) -> Callable[[], list[float]]:
        request = {
            "way": name,
            "staged": str(staged),
            "folders": str(folders),
            "folder": str(setting.folder),
            "threads": os.cpu_count(),
            "epochs": epochs,
            "augmentation": None,
            **more,
        }
        return lambda: list(run_python(ALONE, request)["images_per_s"])

    ways = {
        "plain": way("ours"),
        "cropped": way("ours", augmentation=CROPPED),
        "tutorial": way("tutorial"),
        "decode": way("decode"),
    }
    python = setting.simplejpeg
    decoders = [lambda: [_simplejpeg(python, staged / "images")]] if python is not None else []
    columns = alternate(setting.count(5, 1), *ways.values(), *decoders)
    fastest = [rates[0] for rates in columns[-1]] if python is not None else []
    return _told(dict(zip(ways, columns, strict=False)), fastest)


def _told(seen: dict[str, list[list[float]]], fastest: list[float]) -> Measured:
    first = {name: [rates[0] for rates in runs] for name, runs in seen.items()}
    later = {name: [max(rates[1:]) for rates in runs] for name, runs in seen.items()}
    decoding = fastest or later["decode"]
    by = "simplejpeg" if fastest else "tf.io.decode_jpeg"
    figures = [
        figure("ours, first epoch", "images/s", first["plain"]),
        figure("ours with crop and flip, first epoch", "images/s", first["cropped"]),
        figure("ours, later epochs", "images/s", later["plain"]),
        figure("ours with crop and flip, later epochs", "images/s", later["cropped"]),
        figure("image_dataset_from_directory, first epoch", "images/s", first["tutorial"]),
        figure("image_dataset_from_directory, later epochs", "images/s", later["tutorial"]),
        figure(f"decoding alone, {by}", "images/s", decoding),
        ratio(f"ours, first epoch : decoding alone, {by}", first["plain"], decoding, OF_DECODING),
        ratio(f"ours with crop and flip, first epoch : decoding alone, {by}", first["cropped"], decoding, OF_DECODING),
        ratio("ours, first epoch : image_dataset_from_directory", first["plain"], first["tutorial"], ABOVE),
        ratio(
            "ours with crop and flip, later epochs : image_dataset_from_directory",
            later["cropped"],
            later["tutorial"],
            LATER,
        ),
    ]
    notes = [] if fastest else ["simplejpeg was not at hand (`--simplejpeg PYTHON`): decoding alone is TensorFlow's."]
    return Measured(figures, notes)


def _simplejpeg(python: Path, folder: Path) -> float:
    command = [str(python), str(Path(simplejpeg_alone.__file__)), str(folder), str(os.cpu_count())]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _copy_folders(source: Path, target: Path, copies: int) -> Path:
    for file in source.rglob("*.jpg"):
        place = target / file.parent.name
        place.mkdir(parents=True, exist_ok=True)
        for copy in range(copies):
            shutil.copyfile(file, place / f"{copy}-{file.name}")
    return target


def _keep_training(staged: Path) -> None:
    """Remove the validation photographs, so that every way reads the same files."""
    manifest = json.loads((staged / "manifest.json").read_text())
    for image in manifest["images"]:
        if image["split"] != "train":
            (staged / "images" / image["file"]).unlink()
    manifest["images"] = [image for image in manifest["images"] if image["split"] == "train"]
    (staged / "manifest.json").write_text(json.dumps(manifest))
