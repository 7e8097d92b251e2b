"""What every spec has: strictness, a name, and how much the yard may spend on it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """A frozen value from outside: unknown fields and NaN are refused."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True, validate_default=True
    )


class BaseSpec(Strict):
    """The fields that every job kind shares."""

    name: Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    """A title for people; may be empty."""
    priority: Annotated[int, Field(ge=-100, le=100)] = 0
    """Higher goes first in the queue."""
    max_retries: Annotated[int, Field(ge=0, le=10)] = 2
    """How often the job is tried again after an error that another try may cure."""
    time_limit_s: Annotated[int, Field(ge=1, le=30 * 24 * 3600)] = 24 * 3600
    """Wall-clock limit of one attempt, in seconds."""
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Processor threads on a CPU device; left out, one for a small training and all for a large one. The bits of a
    result depend on it, so later attempts get as many as the first."""
    exclusive: bool = False
    """Have a device to oneself, however little of its memory is needed."""
