"""Earlier runs that a spec builds on: the classifier that they trained, and where its weights are.

`path` is the field of the spec that names the run; every problem stands there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ml.inspections.images import find_sides
from ml.inspections.inspection import find_in
from ml.inspections.models import check_predicts
from ml.inspections.pretrained import draw_pretrained, find_pretrained
from ml.networks import Network, NetworkError, draw_network
from ml.networks.transfer import with_new_head
from records.errors import Conflict, FieldProblem, InvalidSpec, NotFound
from records.inputs import ArtifactInput, DatasetInput, Input
from records.library import DatasetCard, Library, RunCard
from records.specs import FinetuneSpec, TrainSpec, parse_spec
from records.specs.earlier import RECORD, EarlierRun, Weights, weights_name


@dataclass(frozen=True)
class Classifier:
    """A classifier that an earlier job trained."""

    spec: TrainSpec | FinetuneSpec
    dataset: DatasetCard
    network: Network
    inputs: Mapping[str, Input]
    """To stage: `weights`, the file; `run`, the record of the run; and `dataset`, what it learned from."""


def find_run(library: Library, job: int, *, path: str) -> RunCard:
    """The job of that number.

    Raises:
        InvalidSpec: there is none that may be seen.
    """
    try:
        return library.run(job)
    except NotFound as error:
        raise InvalidSpec([FieldProblem(path, error.text)]) from error


def stage_model(run: RunCard, weights: Weights, *, path: str) -> Mapping[str, Input]:
    """What to stage of a run, so that its model can be built again: `run`, its record, and `weights`, the file.

    Raises:
        InvalidSpec: it trained no classifier, or has not kept those weights (yet).
    """
    try:
        check_predicts(run, weights)
    except Conflict as error:
        raise InvalidSpec([FieldProblem(path, error.text)]) from error
    return {"run": ArtifactInput(run.job_id, RECORD), "weights": ArtifactInput(run.job_id, weights_name(weights))}


def find_classifier(library: Library, run: EarlierRun, *, path: str) -> Classifier:
    """The classifier that a spec refers to by the number of its job. Raises as `read_classifier` and `find_run`."""
    return read_classifier(library, find_run(library, run.job, path=path), run.weights, path=path)


def read_classifier(library: Library, run: RunCard, weights: Weights, *, path: str) -> Classifier:
    """The classifier that a run trained.

    Raises:
        InvalidSpec: it trained none, has not kept those weights (yet), or its network cannot be drawn any more.
    """
    staged = stage_model(run, weights, path=path)
    spec, dataset, network = _read(library, run, path)
    return Classifier(spec, dataset, network, {**staged, "dataset": DatasetInput(dataset.ref)})


def _read(library: Library, run: RunCard, path: str) -> tuple[TrainSpec | FinetuneSpec, DatasetCard, Network]:
    """What a job was asked, what it learned from, and its network."""
    spec = parse_spec(dict(run.spec))
    assert isinstance(spec, TrainSpec | FinetuneSpec)
    dataset = find_in(library, spec.dataset, path=path)
    try:
        return spec, dataset, _draw(library, spec, dataset, path)
    except NetworkError as error:
        text = f"The network of job {run.job_id} cannot be drawn any more. {error.text}"
        raise InvalidSpec([FieldProblem(path, text)]) from error


def _draw(library: Library, spec: TrainSpec | FinetuneSpec, dataset: DatasetCard, path: str) -> Network:
    """The network as that job trained it; one that was fine-tuned has another's layers and a head of its own."""
    classes = len(dataset.classes)
    if isinstance(spec, TrainSpec):
        sides = find_sides(spec.image_size, dataset, default=None)
        return draw_network(spec.network, (*sides, dataset.channels), classes)
    if spec.base.job is None:
        base = draw_pretrained(find_pretrained(spec.base.pretrained, path=path))
    else:
        _, _, base = _read(library, find_run(library, spec.base.job, path=path), path)
    sides = find_sides(spec.image_size, dataset, default=base.input_shape[:2])
    return with_new_head(base, (*sides, base.input_shape[2]), classes)
