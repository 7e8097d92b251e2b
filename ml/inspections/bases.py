"""The classifier that learned before and that a spec starts from. Never imports Keras."""

from __future__ import annotations

from collections.abc import Mapping

from ml.inspections.earlier import find_classifier
from ml.inspections.pretrained import draw_pretrained, find_pretrained
from ml.networks import Network
from records.inputs import Input, WeightsInput
from records.library import Library
from records.specs.finetune import Base


def find_base(base: Base, library: Library) -> tuple[Network, Mapping[str, Input]]:
    """The network as it was trained before, and what to stage of it.

    Raises:
        InvalidSpec: there is no such network, or nobody trained it yet.
    """
    if base.run is None:
        assert base.pretrained is not None
        weights = find_pretrained(base.pretrained)
        return draw_pretrained(weights), {"weights": WeightsInput(weights.name)}
    classifier = find_classifier(library, base.run, path="base.job")
    return classifier.network.main, {role: classifier.inputs[role] for role in ("run", "weights")}
