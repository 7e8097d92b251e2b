"""What can be exported: an earlier job, or a version of a registered model, with its network and its dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ml.inspections.inspection import find_in
from ml.networks import Network, NetworkError, draw_network
from records.errors import FieldProblem, InvalidRequest, InvalidSpec, NotFound
from records.library import DatasetCard, Library, RunCard
from records.specs import TrainSpec, parse_spec


@dataclass(frozen=True)
class Earlier:
    """The result of an earlier job."""

    run: RunCard
    ref: int | str
    """What names it for good: a job's number, or `owner/name@number`."""
    network: Network
    """That the job trained, without what only training has."""
    dataset: DatasetCard


def find_earlier(library: Library, ref: int | str, *, path: str = "run") -> Earlier:
    """The job, or the version of a registered model, that a spec refers to, if its network is known.

    Raises:
        InvalidSpec: there is none that may be seen, it has not succeeded, or its kind leaves no network.
    """
    try:
        if isinstance(ref, int):
            run = library.run(ref)
        else:
            card = library.model(ref)
            run, ref = card.run, card.ref
    except (NotFound, InvalidRequest) as error:
        raise InvalidSpec([FieldProblem(path, error.text)]) from error
    if run.status != "succeeded":
        raise InvalidSpec([FieldProblem(path, f"Expected a job that has succeeded; job {run.job_id} is {run.status}.")])
    draw = DRAWN.get(run.kind)
    if draw is None:
        known = ", ".join(sorted(DRAWN))
        text = f"Job {run.job_id} is of kind {run.kind}, whose results are not exported. Expected one of kind {known}."
        raise InvalidSpec([FieldProblem(path, text)])
    network, dataset = draw(run, library, path)
    return Earlier(run, ref, network.main, dataset)


def need_files(run: RunCard, names: Mapping[str, str]) -> None:
    """See to it that an earlier job has kept some files.

    Args:
        run: the job.
        names: of the files, by the field of the spec that asks for each.

    Raises:
        InvalidSpec: it has not.
    """
    problems = [
        FieldProblem(path, f"Job {run.job_id} has kept no {name}, from which its model would be built again.")
        for path, name in names.items()
        if name not in run.artifacts
    ]
    if problems:
        raise InvalidSpec(problems)


def _trained(run: RunCard, library: Library, path: str) -> tuple[Network, DatasetCard]:
    spec = parse_spec(dict(run.spec))
    assert isinstance(spec, TrainSpec)
    dataset = find_in(library, spec.dataset, path=path)
    if dataset.image_shape is None:
        text = f"Expected a run on images of one size, but {dataset.ref} has photographs of many: not exported yet."
        raise InvalidSpec([FieldProblem(path, text)])
    try:
        return draw_network(spec.network, dataset.image_shape, len(dataset.classes)), dataset
    except NetworkError as error:
        text = f"The network of job {run.job_id} cannot be drawn any more: {error}"
        raise InvalidSpec([FieldProblem(path, text)]) from error


DRAWN: Mapping[str, Callable[[RunCard, Library, str], tuple[Network, DatasetCard]]] = {"train": _trained}
"""How the network of a job is drawn again, by its kind."""
