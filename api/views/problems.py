"""Errors."""

from __future__ import annotations

from pydantic import BaseModel

from api.views.base import View


class FieldProblem(View):
    """What is wrong with one field."""

    path: str
    text: str


class Problem(BaseModel):
    """An error, after RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    problems: list[FieldProblem] | None = None
    jobs: list[int] | None = None
    """Of `dataset_in_use`: those that one may see; at most a hundred."""
    other_jobs: int | None = None
    """Of `dataset_in_use`: how many more there are."""
