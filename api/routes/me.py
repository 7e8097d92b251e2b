"""Who one is to this yard."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.auth import require_person
from api.openapi import describe
from api.replies import json_reply
from api.routes import PREFIX

me = APIBlueprint("me", __name__, url_prefix=PREFIX)


@me.get("/me")
@describe(me, reply=views.Me)
def show_me() -> Response:
    """Show who the token stands for"""
    person = require_person()
    return json_reply({"id": person.id, "name": person.name, "role": person.role})
