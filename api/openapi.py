"""The OpenAPI 3.1 document: what routes say of themselves, with the specs as one discriminated union."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar, cast

from apiflask import APIBlueprint, APIFlask
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api import views
from api.asking import Query, parameters
from api.auth import needs
from api.cloning import CloneRequest
from api.cookies import COOKIE
from api.dataset_bodies import NewDataset, NewUpload, NewVersion
from api.describing import DescribeRequest
from api.modelling import AliasTarget, NewModel, NewModelVersion
from api.paging import LARGEST_ID
from api.people_bodies import NewPassword, NewPerson, NewTeam, NewToken, PersonChange
from api.problems import PROBLEM
from api.receiving import mark_streamed
from api.replies import JSON
from api.transactions import SAFE_METHODS
from records.editing import JobEdit
from records.scopes import Scope
from records.settings import Settings
from records.specs import SPECS, TEST_KINDS
from records.visibility import Showing

REFERENCE = "#/components/schemas/{model}"
_TOKEN, _COOKIE = "token", "cookie"
_NUMBERS = frozenset({"job_id", "number", "class_index", "token_id", "prediction_id", "picture_id"})
"""Parameters of paths that are whole numbers."""
_EVERYWHERE = (401, 429, 500, 503)
_PARAMETERS, _BODY, _OTHERS, _STREAMS = "x-parameters", "x-body", "x-other-media-types", "x-streams"
_SCOPE = "x-scope"
F = TypeVar("F", bound=Callable[..., Any])


def describe(
    blueprint: APIBlueprint,
    *,
    reply: type[BaseModel] | str | None,
    status: int = 200,
    query: type[Query] | None = None,
    body: str | Mapping[str, Any] | None = None,
    errors: Sequence[int] = (),
    also: dict[int, str] | None = None,
    public: bool = False,
    other_media_types: Sequence[str] = (),
    headers: Sequence[dict[str, Any]] = (),
    streams: Sequence[str] = (),
    scope: Scope | None = None,
) -> Callable[[F], F]:
    """Say what a route takes and gives, for the OpenAPI document.

    Args:
        blueprint: where the route belongs.
        reply: the class of its JSON, or the media type of a reply that is no JSON; None for a reply without a body.
        status: of a reply that went well.
        query: the class of its query.
        body: the name of the schema of its JSON; or for other bodies the schema of each content type.
        errors: statuses of its own errors; those of every route are added.
        also: other statuses without a body, with what they mean.
        public: whether it answers without a token.
        other_media_types: of a reply that went well, for those who ask for them.
        headers: OpenAPI parameters that stand in headers.
        streams: media types of bodies that the route reads bit by bit, beside JSON of `body`.
        scope: what it needs of a token, where that is not `read` to look and `write` to change.
    """
    statuses = {*errors, *(() if public else _EVERYWHERE), *((400,) if query else ())}
    responses: dict[Any, Any] = {code: _problem_response(code) for code in sorted(statuses)}
    responses |= {code: {"description": text} for code, text in (also or {}).items()}
    extensions: dict[str, Any] = {_PARAMETERS: [*(parameters(query) if query else ()), *headers], _BODY: body}
    extensions[_OTHERS] = (str(status), tuple(other_media_types))
    extensions[_STREAMS], extensions[_SCOPE] = tuple(streams), scope
    doc = blueprint.doc(responses=responses, security=None if public else [{_TOKEN: []}], extensions=extensions)
    if reply is None:
        responses[status] = {"description": "Done."}
        return lambda function: doc(_mark(function, streams, scope))
    if isinstance(reply, str):
        schema = {"type": "string"} if reply.startswith("text/") else {}
        responses[status] = {"description": "As asked.", "content": {reply: {"schema": schema}}}
        return lambda function: doc(_mark(function, streams, scope))
    output = blueprint.output(reply, status_code=status, description="As asked.")
    return lambda function: output(doc(_mark(function, streams, scope)))


def header_parameter(name: str, text: str, **schema: Any) -> dict[str, Any]:
    """An OpenAPI parameter that stands in a header."""
    return {"name": name, "in": "header", "required": False, "description": text, "schema": {"type": "string"} | schema}


def register_openapi(app: APIFlask, settings: Settings) -> None:
    """Serve the document at `/openapi.json`."""
    app.config.update(
        OPENAPI_VERSION="3.1.0",
        SECURITY_SCHEMES={
            _TOKEN: {
                "type": "http",
                "scheme": "bearer",
                "description": "A token of this yard: `ty_…`. Beside it stands the scope that it must have: `read`, "
                "`write` or `full`, of which each goes further than the one before.",
            },
            _COOKIE: {
                "type": "apiKey",
                "in": "cookie",
                "name": COOKIE,
                "description": "The pages' session. What changes something also needs the header `X-CSRF-Token`.",
            },
        },
        AUTO_404_RESPONSE=False,
        AUTO_AUTH_ERROR_RESPONSE=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
        AUTO_OPERATION_ID=True,
        INFO={"description": "Train image networks on shared devices.", "license": {"name": "Apache-2.0"}},
    )
    app.spec_processor(lambda document: _complete(cast("dict[str, Any]", document), known_kinds(settings)))


def known_kinds(settings: Settings) -> list[str]:
    """The job kinds that this yard takes."""
    return [kind for kind in SPECS if settings.test_kinds or kind not in TEST_KINDS]


def _complete(document: dict[str, Any], kinds: list[str]) -> dict[str, Any]:
    schemas = document["components"].setdefault("schemas", {})
    schemas |= _spec_schemas(kinds)
    _, problem = models_json_schema([(views.Problem, "serialization")], ref_template=REFERENCE)
    schemas |= problem["$defs"]
    schemas["Job"]["properties"]["spec"] = {"$ref": REFERENCE.format(model="Spec")}
    for path in document["paths"].values():
        for method, operation in path.items():
            _complete_operation(method, operation)
    return document


def _complete_operation(method: str, operation: dict[str, Any]) -> None:
    scope = operation.pop(_SCOPE, None) or ("read" if method.upper() in SAFE_METHODS else "write")
    if operation.get("security"):
        operation["security"] = [{_TOKEN: [scope]}, {_COOKIE: []}]
        if method.upper() not in SAFE_METHODS:  # a token of a smaller scope, a cookie without the session's token
            operation["responses"].setdefault("403", _problem_response(403))
    for parameter in operation["parameters"]:
        if parameter["name"] in _NUMBERS:
            parameter["schema"] = {"type": "integer", "minimum": 0, "maximum": LARGEST_ID}
    operation["parameters"] += operation.pop(_PARAMETERS, [])
    body, streams = operation.pop(_BODY, None), operation.pop(_STREAMS)
    if body or streams:
        schemas = {JSON: {"$ref": REFERENCE.format(model=body)}} if isinstance(body, str) else dict(body or {})
        schemas |= {media_type: {"type": "string", "format": "binary"} for media_type in streams}
        content = {media_type: {"schema": schema} for media_type, schema in schemas.items()}
        operation["requestBody"] = {"required": True, "content": content}
    status, others = operation.pop(_OTHERS)
    for media_type in others:
        operation["responses"][status]["content"][media_type] = {"schema": {"type": "string"}}
    for response in operation["responses"].values():
        if not response.get("content"):
            response.pop("content", None)


def _mark(view: F, streams: Sequence[str], scope: Scope | None) -> F:
    """Let those who read a request know what its view takes and needs."""
    return mark_streamed(view if scope is None else needs(scope)(view), streams)


def _spec_schemas(kinds: list[str]) -> dict[str, Any]:
    """What may be sent: the specs of these kinds, their union told apart by `kind`, and the other bodies."""
    models = [SPECS[kind] for kind in kinds]
    bodies: list[type[BaseModel]] = [
        *models, DescribeRequest, NewUpload, NewDataset, NewVersion, JobEdit, CloneRequest, NewModel, NewModelVersion,
        AliasTarget, NewPassword, NewToken, NewPerson, PersonChange, NewTeam, Showing,
    ]  # fmt: skip
    _, definitions = models_json_schema([(model, "validation") for model in bodies], ref_template=REFERENCE)
    schemas: dict[str, Any] = definitions["$defs"]
    for model in models:  # a spec without its kind says nothing
        schemas[model.__name__].setdefault("required", []).append("kind")
    references = {kind: REFERENCE.format(model=SPECS[kind].__name__) for kind in kinds}
    schemas["Spec"] = {
        "oneOf": [{"$ref": reference} for reference in references.values()],
        "discriminator": {"propertyName": "kind", "mapping": references},
    }
    return schemas


def _problem_response(code: int) -> dict[str, Any]:
    schema = {"$ref": REFERENCE.format(model="Problem")}
    return {"description": HTTPStatus(code).phrase, "content": {PROBLEM: {"schema": schema}}}
