"""Gives a network for segmentation the numbers of the classifier that it stands on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras

from ml.engine.build import build_model, main_model
from ml.engine.earlier import load_trained
from ml.engine.optimizers import make_optimizer
from ml.engine.pretrained import load_pretrained
from ml.engine.steps import Forward, RateGroup
from ml.inspections.pretrained import find_pretrained
from ml.networks import Network
from ml.networks.backbones import body_of
from records.specs import SegmentSpec
from records.specs.finetune import Base


def load_backbone(model: keras.Model, base: Base, network: Network, weights: Path) -> None:
    """Copy the numbers of a classifier into the layers of the same names.

    Args:
        model: of the network for segmentation; its own layers stay as they are.
        base: what the classifier is.
        network: the classifier as it was trained.
        weights: the file with its numbers.

    Raises:
        ModelUnreadable, WeightsUnreadable: the file does not fit.
    """
    if base.pretrained is None:
        classifier = load_trained(network, weights)
    else:
        classifier = main_model(build_model(network, seed=0))
        load_pretrained(classifier, network, find_pretrained(base.pretrained), weights)
    for name in backbone_layers(network):
        if values := classifier.get_layer(name).get_weights():
            model.get_layer(name).set_weights(values)


def backbone_layers(base: Network) -> Sequence[str]:
    """The layers of a classifier that a network for segmentation takes over."""
    return [node.name for node in body_of(base, base.main.input_shape).layers]


def groups_of(spec: SegmentSpec, model: keras.Model, forward: Forward, base: Network | None) -> list[RateGroup]:
    """The variables that learn: those of a backbone that has learned before at a rate of their own."""
    lower = (
        {id(variable) for name in backbone_layers(base) for variable in model.get_layer(name).weights} if base else {}
    )
    below = [variable for variable in forward.variables if id(variable) in lower]
    above = [variable for variable in forward.variables if id(variable) not in lower]
    shares = ((below, spec.backbone_rate), (above, 1.0))
    return [RateGroup(make_optimizer(spec.optimizer), variables, share) for variables, share in shares if variables]
