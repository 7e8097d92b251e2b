"""The recipe of `kind: export`: a run's model in other formats, each file proved or the job failed."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from ml.datasets import list_photos, load_images
from ml.engine.photos import ShownPhotos
from ml.exports.runtimes import RUNTIMES
from ml.recipes.export import export, some_images
from ml.reporter import Interruption
from ml.run_record import Record, read_record
from ml.sizing import evaluation_sizing
from records.errors import ExportDiffers, ExportFailed, ModelUnreadable, TrainyardError
from records.events import Artifact, Facts
from records.orders import Order
from records.specs import ExportSpec, parse_spec
from tests.ml.recipes.stopping import StoppingReporter, run
from tests.ml.staged import write_staged

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # TensorFlow 2.21

TRAIN = {
    "kind": "train",
    "dataset": "mnist",
    "network": {"name": "dense", "options": {"hidden": [32]}},
    "epochs": 3,
    "batch_size": 16,
    "learning_rate": 0.01,
    "seed": 7,
}
PHOTOS = {
    "kind": "train",
    "dataset": "ada/shapes@1",
    "network": {"name": "plain_cnn"},
    "image_size": 32,
    "epochs": 1,
    "batch_size": 8,
}
EVERY = ["keras", "savedmodel", "tflite", "onnx"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny_mnist: Path) -> Path:
    """The folder of a training that has gone through."""
    from records.orders import OrderedDevice

    folder = tmp_path_factory.mktemp("trained")
    device = OrderedDevice(name="cpu:0", kind="cpu", index=0, memory_bytes=2**30, threads=1)
    order = Order(
        job_id=7, attempt_number=1, spec=TRAIN, device=device, inputs={"dataset": tiny_mnist}, folder=folder
    )  # fmt: skip
    _, summary = run(order)
    assert summary is not None
    return folder


@pytest.fixture
def call(make_order: Callable[..., Order], trained: Path, tiny_mnist: Path) -> Callable[..., Any]:
    """`call(weights=…, record=…, stop=False, **spec fields)`: the reporter, the summary and the folder."""

    def call_one(*, weights: Path | None = None, record: Path | None = None, stop: bool = False, **fields: Any) -> Any:
        order = make_order({"kind": "export", "run": 7, **fields})
        inputs = {
            "dataset": tiny_mnist,
            "run": record or trained / "run.json",
            "weights": weights or trained / "best.weights.h5",
        }
        order = order.model_copy(update={"inputs": inputs})
        reporter = StoppingReporter(stop_at=1 if stop else None)
        spec = parse_spec(order.spec)
        assert isinstance(spec, ExportSpec)
        return reporter, export(spec, order, reporter), order.folder

    return call_one


def test_every_format_is_kept_with_its_proof(call: Any, trained: Path, tiny_mnist: Path) -> None:
    reporter, summary, folder = call(formats=EVERY, images=20)
    kept = {artifact.name: artifact.kind for artifact in reporter.of(Artifact)}
    models = {"model.keras", "model-savedmodel.zip", "model.tflite", "model.onnx"}
    assert {name for name, kind in kept.items() if kind == "model"} == models
    assert kept["run.json"] == "record"
    assert (folder / "labels.txt").read_text().split() == list("0123456789")
    for name in EVERY:
        assert summary[f"{name}/largest_difference"] < 1e-5
        assert summary[f"{name}/agreement"] == 1.0
    record = json.loads((folder / "run.json").read_text())
    assert record["exports"]["onnx"]["images"] == 20
    assert record["exports"]["onnx"]["tolerance"] == 1e-4
    assert record["source"]["spec"] == json.loads((trained / "run.json").read_text())["spec"]
    assert {path.name for path in folder.iterdir()} == set(kept), "nothing else is left behind"
    data = load_images("mnist", tiny_mnist)
    probabilities = RUNTIMES["onnx"](folder / "model.onnx", data.test_images.astype(np.float32), 1)
    trained_accuracy = json.loads((trained / "run.json").read_text())["metrics"]["test/accuracy"]
    assert (probabilities.argmax(axis=1) == data.test_labels).mean() == pytest.approx(trained_accuracy)


def test_a_saved_model_is_a_zip_that_tensorflow_reads_without_keras(call: Any) -> None:
    _, _, folder = call(formats=["savedmodel"])
    with zipfile.ZipFile(folder / "model-savedmodel.zip") as packed:
        assert {"saved_model.pb", "variables/variables.index"} <= set(packed.namelist())


@pytest.mark.parametrize(("weights", "at_most"), [("float16", 0.55), ("int8", 0.4)])
def test_reduced_weights_make_a_smaller_file_with_their_difference_on_record(
    call: Any, weights: str, at_most: float
) -> None:
    _, plain, _ = call(formats=["tflite"])
    _, reduced, _ = call(formats=["tflite"], tflite_weights=weights)
    assert reduced["tflite/bytes"] < at_most * plain["tflite/bytes"]
    assert plain["tflite/largest_difference"] < reduced["tflite/largest_difference"] <= 0.1


def test_a_file_that_is_too_far_from_its_model_fails_the_job_and_is_not_kept(call: Any) -> None:
    reporter = None
    with pytest.raises(ExportDiffers, match=r"model\.tflite .* larger tolerance"):
        reporter, _, _ = call(formats=["tflite"], tflite_weights="int8", reduced_tolerance=1e-9)
    assert reporter is None


def test_a_runtime_that_answers_otherwise_fails_the_job(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run_onnx = RUNTIMES["onnx"]
    off = {**RUNTIMES, "onnx": lambda path, images, threads: run_onnx(path, images, threads) + 2e-4}
    monkeypatch.setattr("ml.recipes.export.RUNTIMES", off)
    with pytest.raises(ExportDiffers, match="within 0\\.0001"):
        call(formats=["onnx"])
    call(formats=["onnx"], tolerance=1e-3)


def test_the_weights_that_were_asked_for_are_used(call: Any, trained: Path, tiny_mnist: Path) -> None:
    images = load_images("mnist", tiny_mnist).test_images.astype(np.float32)
    _, _, best = call(formats=["onnx"])
    _, _, last = call(formats=["onnx"], weights=trained / "last.weights.h5")
    differ = [RUNTIMES["onnx"](folder / "model.onnx", images, 1) for folder in (best, last)]
    record = json.loads((trained / "run.json").read_text())
    assert (np.abs(differ[0] - differ[1]).max() > 0) == (record["metrics"]["best_epoch"] != record["metrics"]["epochs"])


def test_weights_of_another_network_are_refused(call: Any, trained: Path, tmp_path: Path) -> None:
    record = json.loads((trained / "run.json").read_text())
    record["spec"]["network"]["options"]["hidden"] = [33]
    other = tmp_path / "run.json"
    other.write_text(json.dumps(record))
    with pytest.raises(ModelUnreadable, match="does not hold the weights of dense"):
        call(record=other)


def test_a_file_that_lacks_the_weights_of_a_layer_is_refused(call: Any, trained: Path, tmp_path: Path) -> None:
    lacking = tmp_path / "best.weights.h5"
    shutil.copyfile(trained / "best.weights.h5", lacking)
    with h5py.File(lacking, "a") as file:
        del file["layers"]["dense_1"]
    with pytest.raises(ModelUnreadable, match="does not hold the weights of dense"):
        call(weights=lacking)


@pytest.mark.parametrize("content", ["", "[]", '{"spec": {"kind": "noop"}}', '{"spec": {"kind": "train"}}', "\x00"])
def test_a_record_that_is_none_is_refused(call: Any, tmp_path: Path, content: str) -> None:
    bad = tmp_path / "run.json"
    bad.write_text(content)
    with pytest.raises(ModelUnreadable):
        call(record=bad)


def test_a_converter_that_fails_is_told_as_an_export_that_failed(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no rule for this operation")

    monkeypatch.setattr("ml.recipes.export.write_onnx", fail)
    with pytest.raises(ExportFailed, match=r"Could not write model\.onnx: RuntimeError: no rule"):
        call(formats=["onnx"])


def test_it_stops_between_two_files_when_asked(call: Any) -> None:
    with pytest.raises(Interruption):
        call(formats=["keras", "onnx"], stop=True)


def test_images_are_spread_over_the_test_split(trained: Path, tiny_mnist: Path) -> None:
    record, data = read_record(trained / "run.json"), load_images("mnist", tiny_mnist)
    some = some_images(record, tiny_mnist, 3, threads=1)
    assert np.array_equal(some, data.test_images[[0, 20, 39]].astype(np.float32))
    assert len(some_images(record, tiny_mnist, 1000, threads=1)) == 40


@pytest.mark.parametrize(
    ("splits", "wanted"), [(["train", "val", "test"], "test"), (["train", "val"], "val"), (["train"], "train")]
)
def test_photographs_are_those_that_taught_it_least(splits: list[str], wanted: str, tmp_path: Path) -> None:
    folder = write_staged(tmp_path / "shapes", dict(zip(splits, (9, 7, 5), strict=False)))
    record = Record(parse_spec(PHOTOS), ("stripes", "disc", "square"), (32, 32, 3))
    photos = list_photos(folder)
    expected = ShownPhotos(photos, photos.splits[wanted], evaluation_sizing((32, 32, 3)), threads=1)[:]
    assert np.array_equal(some_images(record, folder, 100, threads=1), expected)


def test_a_model_of_photographs_is_proved_on_photographs(tmp_path: Path, make_order: Callable[..., Order]) -> None:
    photos, folder = write_staged(tmp_path / "shapes", {"train": 24, "val": 6}), tmp_path / "trained"
    order = make_order(PHOTOS).model_copy(update={"inputs": {"dataset": photos}, "folder": folder})
    folder.mkdir()
    run(order)
    inputs = {"dataset": photos, "run": folder / "run.json", "weights": folder / "best.weights.h5"}
    spec = ExportSpec(kind="export", run=1, formats=["onnx", "keras"], images=100)
    order = make_order(spec.model_dump(mode="json")).model_copy(update={"inputs": inputs})
    summary = export(spec, order, StoppingReporter())
    assert summary["onnx/largest_difference"] < 1e-4
    assert json.loads((order.folder / "run.json").read_text())["exports"]["onnx"]["images"] == 6


def test_layers_that_keras_does_not_have_are_on_record(call: Any, trained: Path) -> None:
    reporter, _, _ = call(formats=["keras"])
    assert reporter.of(Facts)[0].facts["own_layers"] == []
    from ml.engine.build import build_model
    from ml.networks import make_network
    from ml.recipes.export import own_layers

    classic = build_model(make_network("lenet5", (28, 28, 1), 10, {"variant": "classic"}), seed=0)
    assert own_layers(classic) == ["PartialConv2D", "TrainableSubsampling2D"]


def test_every_error_of_an_export_is_permanent() -> None:
    from records.errors import PermanentJobError

    assert all(issubclass(error, PermanentJobError | TrainyardError) for error in (ExportFailed, ExportDiffers))
