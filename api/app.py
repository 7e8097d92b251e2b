"""Makes the application. Nothing happens at import, and everything is passed in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version

from apiflask import APIFlask
from flask import request
from werkzeug.routing import IntegerConverter, Map

from api.auth import current_person, require_person
from api.cookies import register_cookies
from api.headers import register_headers, request_facts
from api.latencies import register_latencies
from api.limits import register_limits
from api.openapi import register_openapi
from api.paging import LARGEST_ID
from api.problems import register_problems
from api.routes import PREFIX, all_routes
from api.transactions import register_transactions
from api.yard import EXTENSION, make_yard
from records.clock import utc_now
from records.log_output import set_up_logging
from records.settings import Settings


def create_app(settings: Settings, *, clock: Callable[[], datetime] = utc_now) -> APIFlask:
    """The HTTP door of a yard with these settings. Connects to nothing yet."""
    app = APIFlask("api", title="Trainyard", version=version("trainyard"), docs_path=None, json_errors=False)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes + 1  # one more, to tell too large from just full
    app.extensions[EXTENSION] = make_yard(settings, clock)
    app.url_map.converters |= {"job": Number, "number": Number}
    register_cookies(app)
    register_problems(app)
    register_headers(app)
    register_transactions(app)
    app.before_request(current_person_of_api)
    register_limits(app, settings)
    app.before_request(guard_api)
    register_openapi(app, settings)
    for blueprint in all_routes():
        app.register_blueprint(blueprint)
    register_pages(app)
    register_latencies(app)
    return app


def from_environment() -> APIFlask:
    """For a server: `gunicorn 'api.app:from_environment()'`. Reads the environment and sets up logging, once."""
    settings = Settings.from_environment()
    set_up_logging(settings.log_format, facts=request_facts)
    return create_app(settings)


class Number(IntegerConverter):
    """A job's id or a version's number in an address; a larger one than the database can hold names nothing."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=LARGEST_ID)


def current_person_of_api() -> None:
    """Find out who asks before the limiter counts, so that it counts people and not addresses."""
    if request.path.startswith(PREFIX):
        current_person()


def guard_api() -> None:
    """Every address of the API needs a person, also one that does not exist."""
    if request.path.startswith(PREFIX):
        require_person()


def register_pages(app: APIFlask) -> None:
    """The pages, served by the same process."""
    from api.pages import make_blueprint

    pages = make_blueprint()
    vars(pages)["enable_openapi"] = False  # APIFlask asks every blueprint with a `before_request` for it
    app.register_blueprint(pages)
