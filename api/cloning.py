"""A spec made from another's with a few fields changed."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Annotated, Any

from pydantic import Field

from records.errors import FieldProblem, InvalidSpec, shorten
from records.specs.base import Strict

Path = Annotated[str, Field(min_length=1, max_length=200)]


class CloneRequest(Strict):
    """Which fields of the other spec change."""

    changes: Annotated[dict[Path, Any], Field(max_length=100)] = Field(default_factory=dict)
    """New values by dotted path: `{"learning_rate": 0.01, "network.options.width": 0.5}`. A value takes the place of
    what stood there; null takes it away, so that the default holds."""


def changed_spec(spec: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a spec with these changes; whether it makes sense is found out when it is parsed.

    Raises:
        InvalidSpec: a path leads through what is no object.
    """
    made: dict[str, Any] = deepcopy(dict(spec))
    for path, value in changes.items():
        *parents, name = path.split(".")
        place = made
        for depth, parent in enumerate(parents, 1):
            inner = place.setdefault(parent, {})
            if inner is None:
                inner = place[parent] = {}
            if not isinstance(inner, dict):
                where = ".".join(parents[:depth])
                text = f"{where} is {shorten(repr(inner))}, which has no fields."
                raise InvalidSpec([FieldProblem(shorten(path, 200), text)])
            place = inner
        if value is None:
            place.pop(name, None)
        else:
            place[name] = value
    return made
