"""One layer that somebody described, as data of ours: type and arguments, checked. Nothing is executed or imported."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from ml.networks.layers import LAYERS, ActivationName, Layer
from records.errors import FieldProblem, near_matches, shorten
from records.specs.network import LayerSpec

ACTIVATION = "activation"
WITH_ACTIVATION = frozenset(
    {"Conv2D", "PartialConv2D", "DepthwiseConv2D", "SeparableConv2D", "Conv2DTranspose", "Dense"}
)
"""Layers that take an `activation`, as in Keras; it becomes a layer of its own behind them."""


@dataclass(frozen=True)
class ParsedLayer:
    """What a layer's description says by itself."""

    layer: Layer | None
    """None where it is wrong."""
    activation: str | None
    """The function behind it, if one was asked for and it is no `linear`."""
    problems: tuple[FieldProblem, ...]


def parse_layer(spec: LayerSpec, path: str) -> ParsedLayer:
    """The layer that was described; every problem has the path of the argument that is wrong."""
    cls = LAYERS.get(spec.type)
    if cls is None:
        text = f"No layer is called {shorten(spec.type)!r}. {near_matches(spec.type, list(LAYERS))}"
        return ParsedLayer(None, None, (FieldProblem(f"{path}.type", text),))
    arguments = dict(spec.arguments)
    activation, problems = None, []
    if spec.type in WITH_ACTIVATION:
        activation, problems = _parse_activation(arguments.pop(ACTIVATION, None), path)
    problems += _unknown_arguments(cls, arguments, path)
    known = {name: value for name, value in arguments.items() if name in argument_names(cls)}
    try:
        layer = _adapter(cls).validate_json(json.dumps(known), strict=True)
    except ValidationError as error:
        return ParsedLayer(None, activation, (*problems, *_argument_problems(cls, known, error, path)))
    return ParsedLayer(None if problems else layer, activation, tuple(problems))


def argument_names(cls: type[Layer]) -> tuple[str, ...]:
    """The arguments of a layer's class, in order; without the activation that some take besides."""
    return tuple(field.name for field in fields(cls))  # type: ignore[arg-type]


def _parse_activation(value: Any, path: str) -> tuple[str | None, list[FieldProblem]]:
    known = get_args(ActivationName)
    if value is None or value in known:
        return (None if value == "linear" else value), []
    text = f"Expected an activation, got {_shown(value)}. {near_matches(str(value), known)}"
    return None, [FieldProblem(f"{path}.{ACTIVATION}", text)]


def _unknown_arguments(cls: type[Layer], arguments: Mapping[str, Any], path: str) -> list[FieldProblem]:
    known = [*argument_names(cls), *((ACTIVATION,) if cls.__name__ in WITH_ACTIVATION else ())]
    return [
        FieldProblem(
            f"{path}.{shorten(name)}", f"{cls.__name__} takes no {shorten(name)!r} here. {_known(name, known)}"
        )
        for name in arguments
        if name not in known
    ]


def _known(name: str, known: list[str]) -> str:
    return near_matches(name, known) if known else "It takes no arguments."


def _argument_problems(
    cls: type[Layer], arguments: Mapping[str, Any], error: ValidationError, path: str
) -> list[FieldProblem]:
    found: dict[str, FieldProblem] = {}
    for one in error.errors(include_url=False):
        name, *inner = (str(part) for part in one["loc"])
        # One number may stand for a pair: then what is wrong with its copies is wrong with itself.
        where = ".".join([path, name, *(inner if isinstance(arguments.get(name), tuple) else ())])
        if one["type"] == "missing":
            text = f"{cls.__name__} needs {name}, which has no default."
        else:
            text = f"{one['msg'].removeprefix('Value error, ')}, got {_shown(one['input'])}."
        found.setdefault(where, FieldProblem(where, text))
    return list(found.values())


def _shown(value: Any) -> str:
    return shorten(json.dumps(value, default=str))


@cache
def _adapter(cls: type[Layer]) -> TypeAdapter[Layer]:
    return TypeAdapter(cls)
