"""The devices of the workers that are there."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.auth import require_person
from api.openapi import describe
from api.replies import list_reply
from api.routes import PREFIX
from api.shapes import device_shape
from api.transactions import reading
from records.reading import show_devices

devices = APIBlueprint("devices", __name__, url_prefix=PREFIX)


@devices.get("/devices")
@describe(devices, reply=views.page_of(views.Device))
def list_devices() -> Response:
    """List the devices of every worker that is not offline"""
    person = require_person()
    with reading() as session:
        rows = show_devices(session)
    return list_reply([device_shape(row, may_see=lambda owner: person.is_admin or owner == person.id) for row in rows])
