"""The recipe of `kind: export`: a run's model in formats that other programs read, each file proved on real images.

    trainyard export 7 --format onnx,tflite
    expect probabilities that differ by about 1e-7 (LeNet-5 on MNIST)

The model is built again from the run's spec and gets the run's weights. Each file is written, then loaded by a runtime
that knows nothing of the model, and given the same images, if possible such as it has not learned from: how far its
probabilities are from the model's own is on record, and a file that is too far away fails the job.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ml.datasets import PhotoSet, is_photo_folder, list_photos, load_images
from ml.engine.earlier import load_trained
from ml.engine.identity import describe_surroundings
from ml.engine.memory import MemoryWatch
from ml.engine.photos import ShownPhotos
from ml.engine.stopwatch import Stages
from ml.exports.onnx_file import write_onnx
from ml.exports.proof import prove
from ml.exports.runtimes import RUNTIMES, in_batches
from ml.exports.saved_model import pack, write_saved_model
from ml.exports.tflite import write_tflite
from ml.networks import Network
from ml.reporter import Interruption, Reporter
from ml.reports import write_run_json
from ml.run_record import Record, read_record
from ml.sizing import evaluation_sizing
from records.errors import ExportFailed, JobError
from records.orders import Order
from records.specs import ExportSpec

ZIP = "application/zip"
FILES: Mapping[str, tuple[str, str]] = {
    "keras": ("model.keras", ZIP),
    "savedmodel": ("model-savedmodel.zip", ZIP),
    "tflite": ("model.tflite", "application/octet-stream"),
    "onnx": ("model.onnx", "application/octet-stream"),
}
"""Name and media type of each format's file."""


def export(spec: ExportSpec, order: Order, reporter: Reporter) -> dict[str, Any]:
    """Write, prove and keep each file in `order.folder`.

    Args:
        spec: what to write.
        order: `inputs["run"]` is the run's `run.json`, `inputs["weights"]` its weights, `inputs["dataset"]` the
            folder of the dataset that it was trained on.
        reporter: hears of all that happens.

    Returns:
        For each format `FORMAT/largest_difference`, `FORMAT/agreement` and `FORMAT/bytes`.

    Raises:
        Interruption: stopped as asked, between two files.
        ModelUnreadable, DatasetUnreadable, ExportFailed, ExportDiffers: as in `records.errors`.
    """
    stages = Stages(reporter, time.perf_counter)
    stages.begin("loading")
    tf.config.experimental.enable_tensor_float_32_execution(False)  # on a GPU it would blur the comparison
    memory = MemoryWatch()
    record = read_record(order.inputs["run"])
    network = record.draw()
    images = some_images(record, order.inputs["dataset"], spec.images, threads=order.device.threads)

    stages.begin("building")
    model = load_trained(network, order.inputs["weights"])
    own = in_batches(lambda part: np.asarray(model(part, training=False)), images)
    facts = describe_surroundings(order) | {"classes": list(record.classes), "parameters": model.count_params()}
    facts |= {"own_layers": own_layers(model)}
    reporter.facts(facts)

    summary: dict[str, Any] = {}
    made: dict[str, Any] = {}
    for number, name in enumerate(spec.formats):
        reporter.progress(step=number, steps=len(spec.formats), epoch=1, epochs=1)
        if reporter.should_stop:
            raise Interruption(number)
        stages.begin("reporting")
        path = order.folder / FILES[name][0]
        with _ours(f"write {path.name}"):
            _write(spec, network, model, name, path, about(spec, record))
        stages.begin("testing")
        with _ours(f"run {path.name}"):
            others = RUNTIMES[name](path, images, order.device.threads)
        proof = prove(own, others)
        reporter.log(
            f"{path.name}: {path.stat().st_size:,} bytes; probabilities of {proof.images} images differ by up to "
            f"{proof.largest_difference:.2g}; the likeliest class is the same for {proof.agreement:.1%}."
        )
        made[name] = asdict(proof) | {
            "file": path.name,
            "bytes": path.stat().st_size,
            "tolerance": tolerance(spec, name),
        }
        reporter.facts({"exports": made})
        proof.check(path.name, tolerance(spec, name))
        reporter.artifact(path, kind="model", media_type=FILES[name][1])
        summary |= {f"{name}/{key}": made[name][key] for key in ("largest_difference", "agreement", "bytes")}

    stages.begin("reporting")
    _keep_labels(order.folder / "labels.txt", record.classes, reporter)
    ending = {"exports": made, "durations_s": stages.seconds, "metrics": summary, **memory.facts()}
    reporter.facts(ending)
    path = order.folder / "run.json"
    source = json.loads(order.inputs["run"].read_bytes())
    write_run_json(path, {"spec": spec.model_dump(mode="json"), "source": source, **facts, **ending})
    reporter.artifact(path, kind="record", media_type="application/json")
    return summary


def some_images(record: Record, folder: Path, count: int, *, threads: int) -> NDArray[np.float32]:
    """So many images of the run's dataset, or all where there are fewer, evenly spread, as its evaluation showed them.

    Of the test split; of photographs without one of the validation split, and without either of those trained on.

    Args:
        record: of the run.
        folder: of its dataset.
        count: how many are wanted.
        threads: that decode.

    Returns:
        float32 `[at most count, height, width, channels]`, 0 to 255.

    Raises:
        DatasetUnreadable: they cannot be read.
    """
    if is_photo_folder(folder):
        return _some_photos(list_photos(folder), record, count, threads).astype(np.float32)
    images = load_images(record.spec.dataset, folder).test_images
    return images[_spread(count, len(images))].astype(np.float32)


def _some_photos(photos: PhotoSet, record: Record, count: int, threads: int) -> NDArray[np.uint8]:
    places = next(photos.splits[split] for split in ("test", "val", "train") if split in photos.splits)
    chosen = places[_spread(count, len(places))]
    return ShownPhotos(photos, chosen, evaluation_sizing(record.image_shape), threads=threads)[:]


def _spread(count: int, total: int) -> NDArray[np.int64]:
    return np.linspace(0, total - 1, min(count, total)).round().astype(np.int64)


def tolerance(spec: ExportSpec, name: str) -> float:
    """How far a probability of this format's file may be from the model's."""
    reduced = name == "tflite" and spec.tflite_weights != "float32"
    return spec.reduced_tolerance if reduced else spec.tolerance


def own_layers(model: keras.Model) -> list[str]:
    """Layers that Keras does not have: whoever loads `model.keras` elsewhere needs this package for them."""
    return sorted({type(layer).__name__ for layer in model.layers if type(layer).__module__.startswith("ml.")})


def about(spec: ExportSpec, record: Record) -> dict[str, str]:
    """What a file says of itself, where its format has room for it."""
    return {
        "made_by": "Trainyard",
        "run": str(spec.run),
        "weights": spec.weights,
        "dataset": record.spec.dataset,
        "classes": "\n".join(record.classes),
        "images": "float32 [batch, height, width, channels], raw values of 0 to 255",
    }


def _write(
    spec: ExportSpec, network: Network, model: keras.Model, name: str, path: Path, said: Mapping[str, str]
) -> None:
    if name == "keras":
        model.save(path)
    elif name == "onnx":
        weights = {layer.name: layer.get_weights() for layer in model.layers}
        write_onnx(network, weights, path, about=said)
    else:
        with tempfile.TemporaryDirectory(dir=path.parent) as held:
            folder = Path(held) / "saved"
            write_saved_model(model, folder)
            if name == "savedmodel":
                pack(folder, path)
            else:
                write_tflite(folder, path, weights=spec.tflite_weights)


@contextmanager
def _ours(what: str) -> Iterator[None]:
    """A converter's or a runtime's own error becomes ours; trouble with memory or disk is not theirs."""
    try:
        yield
    except (JobError, MemoryError, OSError, tf.errors.ResourceExhaustedError):
        raise
    except Exception as error:
        raise ExportFailed(f"Could not {what}: {type(error).__name__}: {str(error)[:1000]}") from error


def _keep_labels(path: Path, classes: Sequence[str], reporter: Reporter) -> None:
    path.write_text("".join(f"{name}\n" for name in classes), encoding="utf-8")
    reporter.artifact(path, kind="table", media_type="text/plain; charset=utf-8")
