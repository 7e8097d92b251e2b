"""What the tests of `ml` share: a dataset small enough to learn in seconds, and orders for it."""

from __future__ import annotations

import gzip
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml.reporter import Reporter
from records.catalogue import IDX_NAMES
from records.orders import Order, OrderedDevice
from records.settings import Settings
from records.specs import parse_spec

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

DATA_FOLDERS = Settings.from_environment().data
"""Read before the tests are cut off from the environment."""
TRAIN_IMAGES, TEST_IMAGES = 284, 40
"""With `validation_fraction` 0.1 this leaves 256 images to train on."""


@pytest.fixture(scope="session")
def tiny_mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with IDX files under MNIST's names: bright squares at ten places, one a class, on noise."""
    folder = tmp_path_factory.mktemp("tiny-mnist")
    for names, count in ((IDX_NAMES[:2], TRAIN_IMAGES), (IDX_NAMES[2:], TEST_IMAGES)):
        generator = np.random.default_rng(count)
        labels = (np.arange(count) % 10).astype(np.uint8)
        images = generator.integers(0, 60, (count, 28, 28), np.uint8)
        for image, label in zip(images, labels, strict=True):
            row, column = divmod(int(label), 5)
            image[6 + 10 * row : 11 + 10 * row, 2 + 5 * column : 6 + 5 * column] = 255
        (folder / names[0]).write_bytes(struct.pack(">4i", 2051, count, 28, 28) + images.tobytes())
        (folder / names[1]).write_bytes(struct.pack(">2i", 2049, count) + labels.tobytes())
    return folder


@pytest.fixture(scope="session")
def some_mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the first images of MNIST itself, as many as `tiny_mnist` has of its own, four times over."""
    folders = [folder / "mnist" for folder in DATA_FOLDERS]
    source = next((folder for folder in folders if (folder / f"{IDX_NAMES[0]}.gz").exists()), None)
    if source is None:
        pytest.skip("no MNIST here: TRAINYARD_DATA names no folder with mnist/train-images-idx3-ubyte.gz in it")
    folder = tmp_path_factory.mktemp("some-mnist")
    for name, header, axes in zip(IDX_NAMES, (16, 8, 16, 8), (784, 1, 784, 1), strict=True):
        count = 4 * (TRAIN_IMAGES if name.startswith("train") else TEST_IMAGES)
        with gzip.open(source / f"{name}.gz") as file:
            head, values = bytearray(file.read(header)), file.read(count * axes)
        head[4:8] = struct.pack(">i", count)
        (folder / name).write_bytes(bytes(head) + values)
    return folder


@pytest.fixture(scope="module")
def deterministic() -> None:
    """TensorFlow computes the same bits every time."""
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()


@pytest.fixture
def watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training looks up after every step, so that a test can stop it after any."""
    monkeypatch.setattr("ml.engine.pace.LOOK_UP_S", 0.0)


@pytest.fixture
def make_order(tmp_path: Path, tiny_mnist: Path) -> Callable[..., Order]:
    """Makes orders for the tiny dataset, each with a folder of its own."""
    made: list[Order] = []

    def make(
        spec: dict[str, Any], *, checkpoint: Path | None = None, attempt_number: int = 1, dataset: Path = tiny_mnist
    ) -> Order:
        folder = tmp_path / f"attempt-{len(made)}"
        folder.mkdir()
        made.append(
            Order(
                job_id=1,
                attempt_number=attempt_number,
                spec=spec,
                device=OrderedDevice(name="cpu:0", kind="cpu", index=0, memory_bytes=2**30, threads=1),
                inputs={"dataset": dataset},
                facts={"dataset_sha256": "0" * 64, "git_commit": "abc"},
                checkpoint=checkpoint,
                folder=folder,
            )
        )
        return made[-1]

    return make


@pytest.fixture(scope="session")
def trained(tiny_mnist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small training that has ended: LeNet-5 on the tiny dataset."""
    from ml.recipes.train import train

    spec = {"kind": "train", "dataset": "mnist", "network": {"name": "lenet5"}, "epochs": 2, "batch_size": 64}
    folder = tmp_path_factory.mktemp("trained")
    order = Order(
        job_id=1,
        attempt_number=1,
        spec=spec,
        device=OrderedDevice(name="cpu:0", kind="cpu", index=0, memory_bytes=2**30, threads=1),
        inputs={"dataset": tiny_mnist},
        folder=folder,
    )
    train(parse_spec(spec), order, Reporter(lambda event: None))
    return folder
