"""The spec of `kind: noop`: a job that trains nothing, for tests and benchmarks of the yard itself.

It exists only where the settings say `test_kinds`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from records.specs.base import BaseSpec


class NoopSpec(BaseSpec):
    """Step through a loop that waits, writes metrics and checkpoints, and can end badly in every known way."""

    kind: Literal["noop"] = "noop"
    steps: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    step_s: Annotated[float, Field(ge=0.0, le=60.0)] = 0.0
    """Waiting time of a step, in seconds."""
    points_per_step: Annotated[int, Field(ge=0, le=10_000)] = 1
    """Metric points written at each step."""
    fail_at: Annotated[int, Field(ge=0)] | None = None
    """Step at which the job ends with `fail_code`."""
    fail_code: Annotated[str, Field(max_length=50)] = "recipe_failed"
    fail_attempts: Annotated[int, Field(ge=1, le=100)] = 100
    """Only so many first attempts fail."""
    memory_bytes: Annotated[int, Field(ge=300_000_000, le=10**15)] | None = None
    """Device memory to ask for; a whole device when left out. Not below what an idle child holds."""
    fill_bytes: Annotated[int, Field(ge=0, le=10**12)] = 0
    """Memory to take and write to before the first step."""
    ignore_stop: bool = False
    """Do not listen to SIGTERM, so that the worker must kill the child."""
