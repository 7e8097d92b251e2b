"""Earlier runs that a spec builds on: the classifier that they trained, and where its weights are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ml.inspections.images import find_sides
from ml.inspections.inspection import find_in
from ml.inspections.pretrained import draw_pretrained, find_pretrained
from ml.networks import Network, NetworkError, draw_network
from ml.networks.transfer import with_new_head
from records.errors import FieldProblem, InvalidSpec, NotFound
from records.inputs import ArtifactInput, DatasetInput, Input
from records.library import DatasetCard, Library, RunCard
from records.specs import FinetuneSpec, TrainSpec, parse_spec
from records.specs.earlier import RECORD, EarlierRun

KINDS = ("train", "finetune")
"""Kinds of jobs that train a classifier."""


@dataclass(frozen=True)
class Classifier:
    """A classifier that an earlier job trained."""

    spec: TrainSpec | FinetuneSpec
    dataset: DatasetCard
    network: Network
    inputs: Mapping[str, Input]
    """To stage: `weights`, the file; `run`, the record of the run; and `dataset`, what it learned from."""


def find_classifier(library: Library, run: EarlierRun, *, path: str = "run") -> Classifier:
    """The classifier that a spec refers to.

    Raises:
        InvalidSpec: there is no such job, it trained no classifier, or has not kept those weights (yet).
    """
    card = _find_run(library, run.job, path)
    if missing := {RECORD, run.artifact} - set(card.artifacts):
        kept = f"Job {run.job} is {card.status} and has kept no {min(missing)}."
        raise _wrong(path, f"{kept} Choose one that has succeeded.")
    spec, dataset, network = _read(library, card, path)
    inputs: dict[str, Input] = {
        "run": ArtifactInput(run.job, RECORD),
        "weights": ArtifactInput(run.job, run.artifact),
        "dataset": DatasetInput(dataset.ref),
    }
    return Classifier(spec, dataset, network, inputs)


def _find_run(library: Library, job: int, path: str) -> RunCard:
    try:
        card = library.run(job)
    except NotFound as error:
        raise InvalidSpec([FieldProblem(f"{path}.job", error.text)]) from error
    if card.kind not in KINDS:
        raise _wrong(path, f"Expected a job that trained a classifier, but job {job} is of kind {card.kind!r}.")
    return card


def _read(library: Library, card: RunCard, path: str) -> tuple[TrainSpec | FinetuneSpec, DatasetCard, Network]:
    """What a job was asked, what it learned from, and its network."""
    spec = parse_spec(dict(card.spec))
    assert isinstance(spec, TrainSpec | FinetuneSpec)
    dataset = find_in(library, spec.dataset, path=f"{path}.job")
    try:
        return spec, dataset, _draw(library, spec, dataset, path)
    except NetworkError as error:
        raise _wrong(path, f"The network of job {card.job_id} cannot be drawn any more. {error.text}") from error


def _draw(library: Library, spec: TrainSpec | FinetuneSpec, dataset: DatasetCard, path: str) -> Network:
    """The network as that job trained it; one that was fine-tuned has another's layers and a head of its own."""
    classes = len(dataset.classes)
    if isinstance(spec, TrainSpec):
        sides = find_sides(spec.image_size, dataset, default=None)
        return draw_network(spec.network, (*sides, dataset.channels), classes)
    if spec.base.job is None:
        base = draw_pretrained(find_pretrained(spec.base.pretrained, path=path))
    else:
        _, _, base = _read(library, _find_run(library, spec.base.job, path), path)
    sides = find_sides(spec.image_size, dataset, default=base.input_shape[:2])
    return with_new_head(base, (*sides, base.input_shape[2]), classes)


def _wrong(path: str, text: str) -> InvalidSpec:
    return InvalidSpec([FieldProblem(f"{path}.job", text)])
