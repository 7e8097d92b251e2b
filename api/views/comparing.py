"""Jobs side by side."""

from __future__ import annotations

from typing import Any, Literal

from api.views.base import View
from records.states import JobStatus


class ComparedJob(View):
    """A job beside others."""

    id: int
    title: str
    kind: str
    status: JobStatus
    owner: str
    tags: list[str]
    cloned_from: int | None
    parameters: int
    device: str | None
    """Of its last attempt."""
    ran_s: float | None
    """From its first start to its end, in seconds; null until it has finished."""
    peak_bytes: int | None
    """The most that any of its attempts had in use on its device."""


class ComparedField(View):
    """A field of the specs, by its dotted path: one value a job, null where its spec has none."""

    path: str
    values: list[Any]


class ComparedNumber(View):
    """A number of the summaries: one value a job, null where it has none."""

    name: str
    values: list[Any]
    better: Literal["higher", "lower"] | None
    """Which way is better; null where neither is."""
    best: list[int]
    """Places of the best values, counted from 0; none where all are the same."""


class Comparison(View):
    """Jobs side by side, in the order in which they were asked for."""

    jobs: list[ComparedJob]
    differs: list[ComparedField]
    """Fields of the specs that are not the same in all."""
    same: list[ComparedField]
    numbers: list[ComparedNumber]
