"""Query parameters: one strict class a question, from which also the OpenAPI parameters come."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from flask import request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from api.paging import LARGEST_ID
from records.errors import InvalidRequest, near_matches, shorten
from records.specs.earlier import Weights
from records.states import JobStatus

PlainText = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
AfterId = Annotated[int, Field(ge=0, le=LARGEST_ID)]
AfterStep = Annotated[int, Field(ge=0, lt=2**63)]
Cursor = Annotated[str, StringConstraints(max_length=1_000)]
Q = TypeVar("Q", bound="Query")


class Query(BaseModel):
    """What may stand behind the question mark."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class JobsQuery(Query):
    """Which jobs to list."""

    status: Annotated[list[JobStatus], Field(max_length=5)] = []
    """Only jobs at this status; may be repeated."""
    kind: PlainText | None = None
    """Only jobs of this kind."""
    name: PlainText | None = None
    """Only jobs whose name contains this."""
    tag: Annotated[list[PlainText], Field(max_length=20)] = []
    """Only jobs with this tag; may be repeated: with all of them."""
    mine: bool = False
    """Only one's own jobs, without what others show one."""
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    """At most so many."""
    cursor: Cursor | None = None
    """`next` of the page before."""


class SubmitQuery(Query):
    """What is to be remembered of a job besides its spec."""

    clone_of: Annotated[int, Field(ge=1, le=LARGEST_ID)] | None = None
    """The job whose spec this one began with."""


class PicturesQuery(Query):
    """Which of one's pictures to list."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    """At most so many."""
    cursor: Cursor | None = None
    """`next` of the page before."""


class CompareQuery(Query):
    """Which jobs to put side by side."""

    ids: PlainText
    """Their numbers, with commas: `1,2,3`; two to ten."""


class ModelsQuery(Query):
    """Which registered models to list."""

    mine: bool = False
    """Only one's own, without what others show one."""
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    """At most so many."""
    cursor: Cursor | None = None
    """`next` of the page before."""


class OwnerQuery(Query):
    """Whose registered model is meant."""

    owner: PlainText | None = None
    """The owner's name; one's own model without it."""


class QueueQuery(Query):
    """Which part of the queue to list."""

    limit: Annotated[int, Field(ge=1, le=200)] = 200
    """At most so many."""
    cursor: Cursor | None = None
    """`next` of the page before."""


class UsageQuery(Query):
    """Which days to tell of."""

    days: Annotated[int, Field(ge=1, le=90)] = 14
    """The last so many, today's among them (UTC)."""


class EstimatesQuery(Query):
    """Which measured peaks to list."""

    limit: Annotated[int, Field(ge=1, le=1_000)] = 200
    """At most so many, the newest first."""


class EventsQuery(Query):
    """Which events to list."""

    after: AfterId = 0
    """Only events with a higher id."""
    limit: Annotated[int, Field(ge=1, le=1_000)] = 200
    """At most so many."""


class LogQuery(Query):
    """Which lines to list."""

    after: AfterId = 0
    """Only lines with a higher id."""
    limit: Annotated[int, Field(ge=1, le=20_000)] = 1_000
    """At most so many."""


class StreamQuery(Query):
    """Where to begin a stream without `Last-Event-ID`."""

    after: AfterId = 0
    """Leave out job events up to this id."""


class MetricsQuery(Query):
    """Which points to list."""

    name: Annotated[list[PlainText], Field(max_length=100)] = []
    """Only this metric; may be repeated."""
    after: AfterStep | None = None
    """Only points at a higher step."""
    max_points: Annotated[int, Field(ge=2, le=100_000)] | None = None
    """At most so many of each metric: the lowest and the highest of each span of steps, so that peaks survive."""
    limit: Annotated[int, Field(ge=1, le=50_000)] = 10_000
    """Without `max_points`: at most so many in a page."""
    cursor: Cursor | None = None
    """Without `max_points`: `next` of the page before."""


class PredictQuery(Query):
    """How to predict."""

    weights: Weights = "best"
    """Of the epoch that did best on the validation part, or of the last one."""
    top: Annotated[int, Field(ge=1, le=1_000)] = 3
    """How many classes to tell of each image, the likeliest first."""
    invert: bool = False
    """Turn light and dark round first: for dark ink on paper, where the network learnt light strokes on black."""
    wait_s: Annotated[float, Field(ge=0.0, le=3_600.0)] | None = None
    """Wait so long for the answer, in seconds, at most as long as the yard waits; without it, that long."""


class DescribeQuery(Query):
    """How to describe a network."""

    format: Literal["json", "svg"] | None = None
    """`svg` for a drawing; else what the request accepts, JSON if it does not say."""


def read_query(cls: type[Q]) -> Q:
    """The present request's query.

    Raises:
        InvalidRequest: a parameter is unknown, stands twice, or makes no sense; every problem is named.
    """
    came = {name: values if _is_list(cls, name) else _only(name, values) for name, values in request.args.lists()}
    try:
        return cls.model_validate(came)
    except ValidationError as error:
        text = " ".join(_problem(cls, e) for e in error.errors(include_url=False)[:10])
        raise InvalidRequest(text) from error


def parameters(cls: type[Query]) -> list[dict[str, Any]]:
    """The OpenAPI parameters of a question."""
    schema = cls.model_json_schema()
    definitions = schema.get("$defs", {})
    needed = schema.get("required", ())
    return [
        _parameter(name, part, definitions, required=name in needed)
        for name, part in schema.get("properties", {}).items()
    ]


def _parameter(name: str, part: dict[str, Any], definitions: dict[str, Any], *, required: bool) -> dict[str, Any]:
    text = part.pop("description", "")
    part.pop("title", None)
    if "anyOf" in part:  # `null` is JSON's way of leaving a parameter out
        part = next(option for option in part["anyOf"] if option.get("type") != "null")
    if "$ref" in part.get("items", {}):
        part["items"] = definitions[part["items"]["$ref"].rsplit("/", 1)[1]]
    return {"name": name, "in": "query", "required": required, "description": text, "schema": part}


def _is_list(cls: type[Query], name: str) -> bool:
    field = cls.model_fields.get(name)
    return field is not None and "list" in str(field.annotation)


def _only(name: str, values: list[str]) -> str:
    if len(values) > 1:
        raise InvalidRequest(f"`{shorten(name)}` stands {len(values)} times in the query. Keep one of them.")
    return values[0]


def _problem(cls: type[Query], error: Any) -> str:
    name = shorten(error["loc"][0]) if error["loc"] else "query"
    if error["type"] == "extra_forbidden":
        return f"No parameter is called {name!r}. {near_matches(name, list(cls.model_fields))}"
    return f"`{name}`: {error['msg']}, got {shorten(repr(error['input']))}."
