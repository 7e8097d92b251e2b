"""One line a job kind: how its spec is inspected before it queues, and which recipe runs it. Never imports Keras."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from records.catalogue import find_dataset
from records.errors import FieldProblem, InvalidSpec, NotFound
from records.specs import NoopSpec, Spec, TrainSpec

if TYPE_CHECKING:
    from ml.estimates import Cost


@dataclass(frozen=True)
class Inspection:
    """What a spec is known to mean before anything runs."""

    parameters: int = 0
    """Parameters of the network, trainable or not."""
    inputs: dict[str, str] | None = None
    """Datasets to stage before the attempt, by role: `{"dataset": "mnist"}`."""
    cost: Cost | None = None
    """What it would cost, found when asked for; None where a kind has no estimate."""


@dataclass(frozen=True)
class Kind:
    """What the yard knows of a job kind."""

    inspect: Callable[[Any], Inspection]
    """Checks names and shapes that the spec class alone cannot. Raises InvalidSpec, with the path of each problem."""
    recipe: str
    """`module:function`; imported only in the child. Called with (spec, order, reporter)."""


def inspect_train(spec: TrainSpec) -> Inspection:
    """Check that the dataset and the network exist and fit each other."""
    from ml.estimates import cost_of_training
    from ml.networks import NetworkError, draw_network

    try:
        dataset = find_dataset(spec.dataset)
    except NotFound as error:
        raise InvalidSpec([FieldProblem("dataset", error.text)]) from error
    classes = len(dataset.classes)
    if isinstance(spec.class_weights, tuple) and len(spec.class_weights) != classes:
        raise InvalidSpec(
            [FieldProblem("class_weights", f"Expected {classes} weights, one a class, got {len(spec.class_weights)}.")]
        )
    try:
        network = draw_network(spec.network, dataset.image_shape, classes)
    except NetworkError as error:
        raise InvalidSpec(error.problems) from error
    cost = cost_of_training(spec, network, images=dataset.counts["train"])
    return Inspection(parameters=network.parameters, inputs={"dataset": spec.dataset}, cost=cost)


def inspect_noop(spec: NoopSpec) -> Inspection:
    """A noop needs nothing."""
    return Inspection()


KINDS: dict[str, Kind] = {
    "train": Kind(inspect_train, "ml.recipes.train:train"),
    "noop": Kind(inspect_noop, "ml.recipes.noop:noop"),
}


def inspect(spec: Spec) -> Inspection:
    """What the spec means, or InvalidSpec with every problem found."""
    return KINDS[spec.kind].inspect(spec)


def load_recipe(kind: str) -> Callable[..., dict[str, Any]]:
    """Import the recipe of a kind. Only a child calls this: it may load TensorFlow."""
    module, function = KINDS[kind].recipe.split(":")
    recipe: Callable[..., dict[str, Any]] = getattr(import_module(module), function)
    return recipe
