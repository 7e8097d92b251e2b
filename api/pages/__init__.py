"""The pages: templates filled on the server, small scripts for what moves. They show what the API shows, no more.

`api.app` registers the blueprint that `make_blueprint` makes.
"""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request, url_for

from api.pages import views
from api.pages.assets import add_assets
from api.pages.tags import tag_page
from api.pages.words import FILTERS
from records.errors import RequestError, Unauthorized

__all__ = ["make_blueprint"]


def make_blueprint() -> Blueprint:
    """The pages and their assets, at the root of the application."""
    pages = Blueprint("pages", __name__, template_folder="templates")
    pages.add_url_rule("/", view_func=views.jobs)
    pages.add_url_rule("/jobs/<int:job_id>", view_func=views.job)
    pages.add_url_rule("/submit", view_func=views.submit)
    pages.add_url_rule("/compare", view_func=views.compare)
    pages.add_url_rule("/models", view_func=views.models)
    pages.add_url_rule("/models/<name>", view_func=views.model)
    pages.add_url_rule("/devices", view_func=views.devices)
    pages.add_url_rule("/datasets", view_func=views.datasets)
    pages.add_url_rule("/datasets/<name>", view_func=views.dataset)
    pages.add_url_rule("/upload", view_func=views.upload)
    pages.add_url_rule("/networks", view_func=views.networks)
    pages.add_url_rule("/networks/<name>", view_func=views.network)
    pages.add_url_rule("/networks/<name>/drawing.svg", view_func=views.network_drawing)
    pages.add_url_rule("/estimates", view_func=views.estimates)
    pages.add_url_rule("/login", view_func=views.log_in, methods=["GET", "POST"])
    pages.add_url_rule("/logout", view_func=views.log_out, methods=["POST"])
    add_assets(pages)
    pages.before_request(views.require_person_here)
    pages.after_request(tag_page)
    pages.context_processor(views.shared)
    pages.register_error_handler(RequestError, _problem_page)
    pages.record_once(lambda state: state.app.jinja_env.filters.update(FILTERS))
    return pages


def _problem_page(error: RequestError) -> Response | tuple[str, int]:
    if isinstance(error, Unauthorized) and request.method == "GET":
        return redirect(url_for("pages.log_in", next=request.full_path.rstrip("?")))  # type: ignore[return-value]
    return views.problem(error), error.status
