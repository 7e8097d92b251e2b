"""Naming a network and its options; which options a network has is known to `ml.networks`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from records.specs.base import Strict


def _one_problem(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """One sentence instead of one for each type that it could have been."""
    try:
        # Strict validation takes a JSON list for a tuple, but what comes here is no longer JSON.
        return validate(tuple(value) if isinstance(value, list) else value)
    except ValidationError as error:
        raise ValueError(
            "Expected true or false, a number, a text of at most 100 characters, or a list of at most 100 whole numbers"
        ) from error


Whole = Annotated[int, Field(ge=-(2**53), le=2**53)]
Text = Annotated[str, Field(max_length=100)]
Wholes = Annotated[tuple[Whole, ...], Field(max_length=100)]
OptionValue = Annotated[bool | Whole | float | Text | Wholes, WrapValidator(_one_problem)]


class NetworkSpec(Strict):
    """A named network: `{"name": "lenet5", "options": {"activation": "relu"}}`."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    options: Annotated[dict[Annotated[str, Field(max_length=100)], OptionValue], Field(max_length=50)] = Field(
        default_factory=dict
    )
    """Arguments of the network's function; left out, its defaults hold."""
