"""Photographs to batches, one way at a time, in a process of its own. Run by `bench.alone`.

Every way reads the same files, and everything that it does counts, from the first file to the last batch.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ml.engine.quiet import quieten

quieten()

import tensorflow as tf  # noqa: E402

BATCH, SIDE = 32, 224


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Images a second of each epoch; `way` is one of `WAYS`."""
    threads = request["threads"]
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    return {"images_per_s": WAYS[request["way"]](Path(request["staged"]), Path(request["folders"]), request)}


def decode(staged: Path, folders: Path, request: dict[str, Any]) -> list[float]:
    """`tf.io.decode_jpeg` alone, in parallel."""
    files = [str(file) for file in sorted((staged / "images").iterdir())]
    shapes = tf.data.Dataset.from_tensor_slices(files).map(
        lambda file: tf.shape(tf.io.decode_jpeg(tf.io.read_file(file), channels=3)),
        num_parallel_calls=request["threads"],
    )
    return [_rate(lambda: _drain(shapes.prefetch(4)), len(files)) for _ in range(request["epochs"])]


def tutorial(staged: Path, folders: Path, request: dict[str, Any]) -> list[float]:
    """`keras.utils.image_dataset_from_directory`, as a tutorial writes it."""
    import keras

    images = keras.utils.image_dataset_from_directory(
        folders, image_size=(SIDE, SIDE), batch_size=BATCH, seed=1, verbose=0
    ).prefetch(tf.data.AUTOTUNE)
    count = sum(1 for _ in folders.rglob("*.jpg"))
    return [_rate(lambda: _drain(images), count) for _ in range(request["epochs"])]


def ours(staged: Path, folders: Path, request: dict[str, Any]) -> list[float]:
    """Our pipeline: the first epoch brings the photographs to their size."""
    from ml.datasets import Part, list_photos
    from ml.engine.images import TrainingImages
    from ml.engine.photos import ready_pictures
    from ml.sizing import training_sizing
    from records.specs.augmentation import Augmentation

    augmentation = Augmentation.model_validate(request["augmentation"]) if request["augmentation"] else None
    photos = list_photos(staged)
    rows = photos.splits["train"]
    sizing = training_sizing((SIDE, SIDE, 3), augmentation)

    def prepare(cache: Path) -> TrainingImages:
        pictures = ready_pictures(
            photos, rows, sizing, cache=cache, threads=request["threads"], check=lambda: None, tell=lambda text: None
        )
        aspects = photos.aspects[rows] if sizing.whole else None
        return TrainingImages(
            Part(pictures, rows, photos.labels[rows], aspects),
            batch_size=BATCH,
            seed=1,
            augmentation=augmentation,
            threads=request["threads"],
            size=(SIDE, SIDE),
        )

    with tempfile.TemporaryDirectory(dir=request["folder"]) as cache:
        made: list[TrainingImages] = []

        def first() -> None:
            made.append(prepare(Path(cache)))
            _drain(made[0].batches(0, 0))

        rates = [_rate(first, len(rows))]
        return rates + [
            _rate(lambda epoch=epoch: _drain(made[0].batches(epoch, 0)), len(rows))
            for epoch in range(1, request["epochs"])
        ]


def _drain(batches: Any) -> None:
    for _ in batches:
        pass


def _rate(work: Callable[[], None], count: int) -> float:
    started = time.perf_counter()
    work()
    return count / (time.perf_counter() - started)


WAYS = {"decode": decode, "tutorial": tutorial, "ours": ours}

if __name__ == "__main__":
    print(json.dumps(run(json.load(sys.stdin))))
