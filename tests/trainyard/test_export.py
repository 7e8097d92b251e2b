"""From a training to files that other programs read, through a real yard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trainyard.yard_process import run_yard
from trainyard.client import Client

TRAIN = {
    "kind": "train",
    "dataset": "mnist",
    "network": {"name": "lenet5"},
    "epochs": 1,
    "train_examples": 500,
    "time_limit_s": 300,
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The administrator of a yard with a worker that can train."""
    with run_yard(tmp_path_factory.mktemp("export") / "yard", environment={}) as yard, yard.client() as made:
        yield made


@pytest.fixture(scope="module")
def trained(client: Client) -> int:
    """A LeNet-5 that has learnt a little."""
    job = client.wait(client.submit(TRAIN).id, timeout_s=300)
    if job.reason and job.reason.code == "dataset_missing":
        pytest.skip("no source of MNIST answers here")
    assert job.status == "succeeded", job.reason
    return job.id


def test_a_registered_model_is_exported_and_each_file_is_proved(client: Client, trained: int, tmp_path: Path) -> None:
    version = client.models.register("digits", trained)
    client.models.point("digits", "champion", version.number)
    job = client.export("digits@champion", ["keras", "savedmodel", "tflite", "onnx"], images=16)
    assert job.spec["run"] == "admin/digits@1", "an alias may move: the job keeps what it meant"
    job = client.wait(job.id, timeout_s=300)
    assert job.status == "succeeded", job.reason
    assert all(job.summary[f"{name}/largest_difference"] < 1e-4 for name in job.spec["formats"])
    names = {artifact.name for artifact in client.artifacts(job.id)}
    assert {"model.keras", "model-savedmodel.zip", "model.tflite", "model.onnx", "labels.txt", "run.json"} <= names
    record = json.loads(client.download(job.id, "run.json", tmp_path).read_text())
    assert record["exports"]["onnx"]["agreement"] == 1.0
    assert record["run_sha256"] != record["weights_sha256"]


def test_a_file_beyond_the_tolerance_fails_the_job_with_a_code_of_its_own(client: Client, trained: int) -> None:
    job = client.wait(
        client.export(trained, ["tflite"], tflite_weights="int8", reduced_tolerance=0.0).id, timeout_s=300
    )
    assert (job.status, job.reason.code if job.reason else "") == ("failed", "export_differs")
    assert len(job.attempts) == 1, "another try would end the same way"
