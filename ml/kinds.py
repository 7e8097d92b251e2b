"""One line a job kind: how its spec is inspected before it queues, and which recipe runs it. Never imports Keras."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from ml.inspections.convolutionalise import inspect_convolutionalise
from ml.inspections.evaluate import inspect_evaluate
from ml.inspections.export import inspect_export
from ml.inspections.finetune import inspect_finetune
from ml.inspections.inspection import Inspection
from ml.inspections.noop import inspect_noop
from ml.inspections.predict import inspect_predict
from ml.inspections.segment import inspect_segment
from ml.inspections.style_transfer import inspect_style_transfer
from ml.inspections.train import inspect_train
from records.library import CatalogueLibrary, Library
from records.specs import Spec


@dataclass(frozen=True)
class Kind:
    """What the yard knows of a job kind."""

    inspect: Callable[[Any, Library], Inspection]
    """Checks names and shapes that the spec class alone cannot. Raises InvalidSpec, with the path of each problem."""
    recipe: str
    """`module:function`; imported only in the child. Called with (spec, order, reporter)."""
    trains_classifier: bool = False
    """Whether it leaves a network and weights that tell classes (`ml.run_record`)."""
    trains_segmenter: bool = False
    """Whether they tell the class of every pixel."""

    @property
    def can_be_asked(self) -> bool:
        """Whether its model can be asked about images."""
        return self.trains_classifier or self.trains_segmenter


KINDS: dict[str, Kind] = {
    "train": Kind(inspect_train, "ml.recipes.train:train", trains_classifier=True),
    "finetune": Kind(inspect_finetune, "ml.recipes.finetune:finetune", trains_classifier=True),
    "segment": Kind(inspect_segment, "ml.recipes.segment:segment", trains_segmenter=True),
    "convolutionalise": Kind(inspect_convolutionalise, "ml.recipes.convolutionalise:convert"),
    "predict": Kind(inspect_predict, "ml.recipes.predict:predict"),
    "evaluate": Kind(inspect_evaluate, "ml.recipes.evaluate:evaluate"),
    "export": Kind(inspect_export, "ml.recipes.export:export"),
    "style_transfer": Kind(inspect_style_transfer, "ml.recipes.style_transfer:paint"),
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
    module, function = KINDS[kind].recipe.split(":")
    recipe: Callable[..., dict[str, Any]] = getattr(import_module(module), function)
    return recipe
