"""`kind: evaluate`: the earlier jobs have models that can vote together, and the dataset has the images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ml.inspections.earlier import Classifier, find_classifier
from ml.inspections.images import check_augmentation
from ml.inspections.inspection import Inspection, find_in
from records.errors import FieldProblem, InvalidSpec
from records.inputs import DatasetInput, Input
from records.library import DatasetCard, Library
from records.specs import EvaluateSpec
from records.specs.earlier import EarlierRun


def inspect_evaluate(spec: EvaluateSpec, library: Library) -> Inspection:
    """Check that the models are there and know the same classes, and that the dataset has these and the split.

    Raises:
        InvalidSpec: something is not so; the problem stands at its `runs.NUMBER.job`, or at `dataset`, `split`,
            `vote_weights` or a field of `test_time_augmentation`.
    """
    if spec.vote_weights is not None and len(spec.vote_weights) != len(spec.runs):
        text = f"Expected {len(spec.runs)} weights, one a run, got {len(spec.vote_weights)}."
        raise InvalidSpec([FieldProblem("vote_weights", text)])
    voters = [find_classifier(library, run, path=f"runs.{n}.job") for n, run in enumerate(spec.runs)]
    dataset = find_in(library, spec.dataset) if spec.dataset else voters[0].dataset
    _check_classes(spec.runs, voters, dataset)
    _check_split(spec, voters, dataset)
    if spec.test_time_augmentation is not None:
        for voter in voters:
            check_augmentation(
                spec.test_time_augmentation.augmentation,
                voter.network.input_shape[2],
                path="test_time_augmentation.augmentation",
            )
    return Inspection(
        parameters=sum(voter.network.main.parameters for voter in voters),
        inputs={"dataset": DatasetInput(dataset.ref), **_stage(spec.runs, voters)},
        pins={"dataset": dataset.ref},
    )


def roles_of(run: EarlierRun) -> tuple[str, str]:
    """Under which roles a run's record and weights are staged."""
    return f"run_{run.job}", f"weights_{run.job}_{run.weights}"


def _stage(runs: Sequence[EarlierRun], voters: Sequence[Classifier]) -> Mapping[str, Input]:
    staged: dict[str, Input] = {}
    for run, voter in zip(runs, voters, strict=True):
        record, weights = roles_of(run)
        staged |= {record: voter.inputs["run"], weights: voter.inputs["weights"]}
    return staged


def _check_classes(runs: Sequence[EarlierRun], voters: Sequence[Classifier], dataset: DatasetCard) -> None:
    first = voters[0].dataset.classes
    problems = [
        FieldProblem(
            f"runs.{number}.job",
            f"Expected the classes of job {runs[0].job} ({_names(first)}), but job {runs[number].job} learned "
            f"{_names(voter.dataset.classes)}. Only models of the same classes, in the same order, can vote.",
        )
        for number, voter in enumerate(voters)
        if voter.dataset.classes != first
    ]
    if dataset.task != "classification" or dataset.classes != first:
        has = _names(dataset.classes) if dataset.task == "classification" else f"images for {dataset.task}"
        text = f"Expected the classes of job {runs[0].job} ({_names(first)}), but {dataset.ref!r} has {has}."
        problems.append(FieldProblem("dataset", text))
    if problems:
        raise InvalidSpec(problems)


def _check_split(spec: EvaluateSpec, voters: Sequence[Classifier], dataset: DatasetCard) -> None:
    if dataset.counts.get(spec.split):
        return
    if spec.split != "val":
        known = ", ".join(split for split, count in dataset.counts.items() if count)
        text = f"{dataset.ref} has no split {spec.split!r} of its own. It has {known}."
        raise InvalidSpec([FieldProblem("split", text)])
    wanted = _set_aside(voters[0])
    for run, voter in zip(spec.runs, voters, strict=True):
        if voter.dataset.ref != dataset.ref or _set_aside(voter) != wanted:
            text = (
                f"{dataset.ref} has no split 'val' of its own, and job {run.job} set other images aside than the "
                "validation part to be told. Train all runs on it with the same validation_fraction and split_seed, "
                "or choose the split 'test'."
            )
            raise InvalidSpec([FieldProblem("split", text)])


def _set_aside(voter: Classifier) -> tuple[float, int]:
    """What decides which images a run keeps for validation."""
    return voter.spec.validation_fraction, voter.spec.validation_seed


def _names(classes: Sequence[str]) -> str:
    """`a, b, c`, at most three, and how many there are."""
    shown = ", ".join(classes[:3])
    return f"{len(classes)}: {shown}{', …' if len(classes) > 3 else ''}"
