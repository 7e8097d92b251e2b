"""Weights that the yard knows by name, as a spec refers to them. It knows none yet."""

from __future__ import annotations

from typing import NoReturn

from ml.networks import Network
from ml.networks.transfer import head_layer
from records.errors import FieldProblem, InvalidSpec, shorten


def find_pretrained(name: str, *, path: str = "base") -> NoReturn:
    """Raises InvalidSpec: this yard has no catalogue of weights."""
    text = f"This yard knows no pretrained weights, got {shorten(repr(name))}. Name an earlier job: base.job."
    raise InvalidSpec([FieldProblem(f"{path}.pretrained", text)])


def fresh_layers(network: Network) -> frozenset[str]:
    """The layers with weights that begin anew, of a network with a new head."""
    return frozenset({head_layer(network)})
