"""Earlier runs that a spec builds on: the classifier that they trained, and where its weights are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ml.inspections.inspection import find_in
from ml.networks import Network, NetworkError, draw_network
from records.errors import FieldProblem, InvalidSpec, NotFound
from records.inputs import ArtifactInput, DatasetInput, Input
from records.library import DatasetCard, Library
from records.specs import SPECS, TrainSpec, parse_as
from records.specs.earlier import RECORD, EarlierRun


@dataclass(frozen=True)
class Classifier:
    """A classifier that an earlier job trained."""

    spec: TrainSpec
    dataset: DatasetCard
    network: Network
    inputs: Mapping[str, Input]
    """To stage: `weights`, the file; `run`, the record of the run; and `dataset`, what it learned from."""


def find_classifier(library: Library, run: EarlierRun, *, path: str = "run") -> Classifier:
    """The classifier that a spec refers to.

    Raises:
        InvalidSpec: there is no such job, it trained no classifier, or has not kept those weights (yet).
    """
    try:
        card = library.run(run.job)
    except NotFound as error:
        raise InvalidSpec([FieldProblem(f"{path}.job", error.text)]) from error
    if card.kind != "train":
        raise _wrong(path, f"Expected a job that trained a classifier, but job {run.job} is of kind {card.kind!r}.")
    if missing := {RECORD, run.artifact} - set(card.artifacts):
        kept = f"Job {run.job} is {card.status} and has kept no {min(missing)}."
        raise _wrong(path, f"{kept} Choose one that has succeeded.")
    spec = parse_as(SPECS["train"], dict(card.spec))
    assert isinstance(spec, TrainSpec)
    dataset = find_in(library, spec.dataset, path=f"{path}.job")
    try:
        network = draw_network(spec.network, dataset.image_shape, len(dataset.classes))
    except NetworkError as error:
        raise _wrong(path, f"The network of job {run.job} cannot be drawn any more. {error.text}") from error
    inputs: dict[str, Input] = {
        "run": ArtifactInput(run.job, RECORD),
        "weights": ArtifactInput(run.job, run.artifact),
        "dataset": DatasetInput(dataset.ref),
    }
    return Classifier(spec, dataset, network, inputs)


def _wrong(path: str, text: str) -> InvalidSpec:
    return InvalidSpec([FieldProblem(f"{path}.job", text)])
