"""A network as it is asked for: by name with options, or as layers of one's own.

Which networks, options, layers and arguments there are is known to `ml.networks`; here only their form is.
"""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_serializer,
    model_validator,
)

from records.specs.base import Strict

MOST_LAYERS = 1_000
"""Layers that a network of one's own may have."""
_LARGEST = 2**53
_DEEPEST = 4
_LONGEST = 10_000


def _one_problem(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """One sentence instead of one for each type that it could have been."""
    try:
        # Strict validation takes a JSON list for a tuple, but what comes here is no longer JSON.
        return validate(tuple(value) if isinstance(value, list) else value)
    except ValidationError as error:
        raise ValueError(
            "Expected true or false, a number, a text of at most 100 characters, or a list of at most 100 whole numbers"
        ) from error


def _frozen(value: Any, depth: int = 0) -> Any:
    """A plain value with its lists as tuples."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and math.isfinite(value) and abs(value) <= _LARGEST:
        return value
    if isinstance(value, str) and len(value) <= 100:
        return value
    if isinstance(value, list | tuple) and depth < _DEEPEST and len(value) <= _LONGEST:
        return tuple(_frozen(part, depth + 1) for part in value)
    raise ValueError("Expected null, true or false, a number, a text of at most 100 characters, or a list of these")


Whole = Annotated[int, Field(ge=-_LARGEST, le=_LARGEST)]
Text = Annotated[str, Field(max_length=100)]
Wholes = Annotated[tuple[Whole, ...], Field(max_length=100)]
OptionValue = Annotated[bool | Whole | float | Text | Wholes, WrapValidator(_one_problem)]
LayerName = Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Argument = Annotated[
    Any, AfterValidator(_frozen), WithJsonSchema({"type": ["null", "boolean", "number", "string", "array"]})
]


class LayerSpec(Strict):
    """A layer in Keras's words, arguments beside the type: `{"type": "Conv2D", "filters": 32, "kernel_size": 3}`."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Argument]

    type: Text
    """A layer that the yard knows; docs/own-networks.md lists them with their arguments."""
    name: LayerName | None = None
    """Unique in the network; made from the type when left out."""
    inputs: Annotated[tuple[LayerName, ...], Field(min_length=1, max_length=100)] | None = None
    """Names of the layers that feed it, or `images`; the layer before when left out."""

    @property
    def arguments(self) -> dict[str, Any]:
        """What stands beside type, name and inputs."""
        return self.__pydantic_extra__

    @model_serializer(mode="wrap")
    def _without_absent(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _without(serialize(self), "name", "inputs")


class NetworkSpec(Strict):
    """A network by name, `{"name": "lenet5", "options": {"activation": "relu"}}`, or one's own, `{"layers": [...]}`."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["name"]}, {"required": ["layers"]}]})

    name: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """A network that the yard knows; `GET /networks` lists them."""
    options: Annotated[dict[Annotated[str, Field(max_length=100)], OptionValue], Field(max_length=50)] = Field(
        default_factory=dict
    )
    """Arguments of the named network; left out, its defaults hold."""
    layers: (
        Annotated[tuple[LayerSpec, ...], Field(max_length=MOST_LAYERS, json_schema_extra={"minItems": 1})] | None
    ) = None
    """Layers of one's own, instead of a name; each follows the one before unless it names its inputs."""

    @model_validator(mode="after")
    def _one_of_both(self) -> NetworkSpec:
        if (self.name is None) == (self.layers is None):
            came = "both" if self.layers is not None else "neither"
            raise ValueError(f"Expected either a name or layers, got {came}")
        if self.layers is not None and self.options:
            raise ValueError("Expected options with a name only; layers have their own arguments")
        if self.layers is not None and not self.layers:  # not `min_length`, which also counts layers that are wrong
            raise ValueError("Expected at least one layer, got none")
        return self

    @model_serializer(mode="wrap")
    def _without_the_other(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """One of both forms, as it was sent, so that stored specs stay as they are when the other form grows."""
        return _without(serialize(self), *(("layers",) if self.layers is None else ("name", "options")))


def _without(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    """The fields less these, where they hold nothing."""
    return {name: value for name, value in fields.items() if name not in names or value}
