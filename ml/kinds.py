"""One line a job kind: how its spec is inspected before it queues, and which recipe runs it. Never imports Keras."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from ml.inspections.inspection import Inspection
from ml.inspections.noop import inspect_noop
from ml.inspections.predict import inspect_predict
from ml.inspections.train import inspect_train
from records.errors import ModelUnreadable
from records.library import CatalogueLibrary, Library
from records.specs import Spec


@dataclass(frozen=True)
class Kind:
    """What the yard knows of a job kind."""

    inspect: Callable[[Any, Library], Inspection]
    """Checks names and shapes that the spec class alone cannot. Raises InvalidSpec, with the path of each problem."""
    recipe: str
    """`module:function`; imported only in the child. Called with (spec, order, reporter)."""
    model: str | None = None
    """`module:function` that builds its model again; imported only in the child. Called with a `ml.predicting.Record`.
    None where a job of this kind leaves no model that tells classes."""


KINDS: dict[str, Kind] = {
    "train": Kind(inspect_train, "ml.recipes.train:train", model="ml.predicting.models:trained_model"),
    "predict": Kind(inspect_predict, "ml.recipes.predict:predict"),
    "noop": Kind(inspect_noop, "ml.recipes.noop:noop"),
}


def inspect(spec: Spec, library: Library | None = None) -> Inspection:
    """What the spec means, or InvalidSpec with every problem found.

    Args:
        spec: what was asked.
        library: where its references are looked up; the catalogue alone when left out.
    """
    return KINDS[spec.kind].inspect(spec, library or CatalogueLibrary())


def load_recipe(kind: str) -> Callable[..., dict[str, Any]]:
    """Import the recipe of a kind. Only a child calls this: it may load TensorFlow."""
    return _load(KINDS[kind].recipe)


def load_model_builder(kind: str) -> Callable[..., Any]:
    """Import what builds the model of a kind again. Only a child calls this: it loads TensorFlow.

    Raises:
        ModelUnreadable: jobs of this kind leave no model.
    """
    known = KINDS.get(kind)
    if known is None or known.model is None:
        raise ModelUnreadable(f"A job of kind {kind!r} leaves no model that predicts.")
    return _load(known.model)


def _load(name: str) -> Callable[..., Any]:
    module, function = name.split(":")
    loaded: Callable[..., Any] = getattr(import_module(module), function)
    return loaded
