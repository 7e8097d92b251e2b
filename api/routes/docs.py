"""The page of the OpenAPI document: Swagger UI from an installed package, and a script of our own; none inline."""

from __future__ import annotations

from pathlib import Path

import flask_swagger_ui
from apiflask import APIBlueprint
from flask import Response, send_from_directory

docs = APIBlueprint("docs", __name__, url_prefix="/docs", enable_openapi=False)

OURS = Path(__file__).parent.parent / "swagger"
THEIRS = Path(flask_swagger_ui.__file__).parent / "dist"
_FILES = {"init.js": OURS, "page.css": OURS, "swagger-ui.css": THEIRS, "swagger-ui-bundle.js": THEIRS}


@docs.get("")
def show_page() -> Response:
    """The page"""
    return send_from_directory(OURS, "page.html")


@docs.get("/<any('init.js', 'page.css', 'swagger-ui.css', 'swagger-ui-bundle.js'):name>")
def send_asset(name: str) -> Response:
    """A script or a style sheet of the page"""
    return send_from_directory(_FILES[name], name, max_age=3600)
