"""The size that photographs are brought to."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

LEAST_PX, MOST_PX = 8, 2_048


def _one_problem(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """One sentence instead of one for each form that it could have had."""
    try:
        # Strict validation takes a JSON list for a tuple, but what comes here is no longer JSON.
        return validate(tuple(value) if isinstance(value, list) else value)
    except ValidationError as error:
        raise ValueError(
            f"Expected pixels a side, or height and width, each a whole number of {LEAST_PX} to {MOST_PX:,}"
        ) from error


Side = Annotated[int, Field(ge=LEAST_PX, le=MOST_PX)]
ImageSize = Annotated[Side | tuple[Side, Side], WrapValidator(_one_problem)]
"""Pixels a side, or (height, width)."""


def sides_of(size: int | tuple[int, int]) -> tuple[int, int]:
    """Height and width."""
    return (size, size) if isinstance(size, int) else size
