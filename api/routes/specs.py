"""The JSON Schema of each job kind's spec: the same classes that check what is sent."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.openapi import describe, known_kinds
from api.replies import list_reply
from api.routes import PREFIX
from api.yard import the_yard
from records.specs import SPECS

specs = APIBlueprint("specs", __name__, url_prefix=PREFIX)


@specs.get("/specs")
@describe(specs, reply=views.page_of(views.SpecSchema))
def list_specs() -> Response:
    """List the job kinds with the JSON Schema of their specs"""
    items = []
    for kind in known_kinds(the_yard().settings):
        schema = SPECS[kind].model_json_schema()
        items.append({"kind": kind, "title": schema.get("description", schema["title"]), "schema": schema})
    return list_reply(items)
