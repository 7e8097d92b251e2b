"""What is found out about an export before it queues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ml.inspections.export import inspect_export
from ml.kinds import inspect
from ml.networks import make_network
from records.errors import InvalidSpec, NotFound
from records.inputs import ArtifactInput, DatasetInput
from records.library import CatalogueLibrary, ModelCard, RunCard
from records.specs import ExportSpec, parse_spec

TRAIN = {"kind": "train", "dataset": "mnist", "network": {"name": "lenet5"}}
KEPT = {"run.json": "a" * 64, "best.weights.h5": "b" * 64, "last.weights.h5": "c" * 64}


class Shelf(CatalogueLibrary):
    """A library with job 7, which is also `ada/digits@3`."""

    def __init__(self, **changes: Any) -> None:
        spec = parse_spec(TRAIN).model_dump(mode="json")
        self.card = RunCard(
            **{"job_id": 7, "kind": "train", "status": "succeeded", "spec": spec, "artifacts": KEPT, **changes}
        )

    def run(self, job_id: int) -> RunCard:
        if job_id != 7:
            raise NotFound(f"There is no job {job_id} that you can see.")
        return self.card

    def model(self, ref: str) -> ModelCard:
        if not ref.startswith("digits"):
            raise NotFound(f"There is no registered model {ref!r} that you can see.")
        return ModelCard("ada/digits@3", self.card)


def asked(**fields: Any) -> ExportSpec:
    spec = parse_spec({"kind": "export", "run": 7, **fields})
    assert isinstance(spec, ExportSpec)
    return spec


def problems(library: Shelf, **fields: Any) -> Mapping[str, str]:
    with pytest.raises(InvalidSpec) as refused:
        inspect_export(asked(**fields), library)
    return {problem.path: problem.text for problem in refused.value.problems}


def test_an_export_needs_the_dataset_the_record_and_the_weights() -> None:
    found = inspect(asked(weights="last"), Shelf())
    assert found.parameters == make_network("lenet5", (28, 28, 1), 10, {}).parameters
    assert found.inputs == {
        "dataset": DatasetInput("mnist"),
        "run": ArtifactInput(7, "run.json"),
        "weights": ArtifactInput(7, "last.weights.h5"),
    }
    assert found.pins == {"run": 7}


def test_a_registered_model_is_pinned_to_its_version() -> None:
    assert inspect_export(asked(run="digits@champion"), Shelf()).pins == {"run": "ada/digits@3"}


@pytest.mark.parametrize(
    ("changes", "fields", "path", "said"),
    [
        ({}, {"run": 8}, "run", "no job 8"),
        ({}, {"run": "letters@champion"}, "run", "no registered model 'letters@champion'"),
        ({"status": "running", "artifacts": {}}, {}, "run", "Job 7 is running and has no model yet"),
        ({"kind": "noop", "spec": {"kind": "noop"}}, {}, "run", "kind noop predicts nothing. Jobs of kind train"),
        ({"artifacts": {"run.json": "a" * 64}}, {}, "run", "kept no best.weights.h5"),
        ({"artifacts": {"best.weights.h5": "a" * 64}}, {}, "run", "kept no run.json"),
    ],
)
def test_what_cannot_be_exported_is_told_before_it_queues(
    changes: dict[str, Any], fields: dict[str, Any], path: str, said: str
) -> None:
    found = problems(Shelf(**changes), **fields)
    assert list(found) == [path]
    assert said in found[path]


def test_a_layer_without_a_rule_is_refused_for_onnx_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml.inspections.export.ONNX_LAYERS", frozenset({"Rescaling", "Conv2D"}))
    assert "has Activation (layer 'c1_activation')" in problems(Shelf(), formats=["tflite", "onnx"])["formats"]
    inspect_export(asked(formats=["keras", "savedmodel", "tflite"]), Shelf())


def test_an_activation_without_a_rule_is_refused_for_onnx(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml.inspections.export.ONNX_ACTIVATIONS", frozenset({"softmax"}))
    assert "the activation relu" in problems(Shelf())["formats"]


def test_a_run_whose_network_cannot_be_drawn_any_more_is_refused() -> None:
    spec = parse_spec(TRAIN).model_dump(mode="json") | {"network": {"name": "lenet4", "options": {}}}
    assert "cannot be drawn any more" in problems(Shelf(spec=spec))["run"]
