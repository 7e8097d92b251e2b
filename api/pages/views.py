"""The pages' routes. Each reads what it shows through `api.pages.reading` and fills one template."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlsplit

from flask import Response, redirect, render_template, request, url_for

from api import auth
from api.auth import needs
from api.drawings import drawing_reply
from api.pages import people, reading, sets
from api.pages.forms import make_form
from api.pages.network import drawn_network, network_page
from api.pages.usage import usage_page
from api.paging import LARGEST_ID
from api.routes.comparing import read_ids
from api.yard import the_yard
from ml.networks import NETWORKS, SEGMENTERS
from records.accounts import Person
from records.catalogue import CATALOGUE
from records.editing import TAG
from records.errors import (
    Forbidden,
    InvalidRequest,
    RequestError,
    TooManyLogins,
    Unauthorized,
    near_matches,
    shorten,
)
from records.specs import SPECS, TEST_KINDS
from records.states import JobStatus

_OPEN = frozenset({"pages.log_in", "pages.assets"})


def require_person_here() -> None:
    """Let nobody but known people beyond the log-in page.

    Raises:
        Unauthorized: nobody has logged in.
    """
    if request.endpoint not in _OPEN:
        auth.require_person()


def shared() -> dict[str, Any]:
    """What every template may use."""
    return {
        "person": auth.current_person(),
        "csrf_token": auth.csrf_token,
        "may_change": people.may_change,
        "own_teams": people.own_teams,
        "artifact_url": lambda job_id, name: f"/api/v1/jobs/{job_id}/artifacts/{name}",
        "file_url": lambda owner, name, number, file: (
            f"/api/v1/models/{name}/versions/{number}/files/{file}?owner={quote(owner, safe='')}"
        ),
        "sheet_url": lambda name: f"/api/v1/datasets/{name}/sheet",
    }


def jobs() -> str:
    """The list of jobs."""
    status = request.args.get("status", "")
    if status and status not in list(JobStatus):
        raise InvalidRequest(f"No state is called {shorten(status)!r}. {near_matches(status, list(JobStatus))}")
    tag = request.args.get("tag", "")
    if tag and not re.fullmatch(TAG, tag):
        raise InvalidRequest(f"No tag is called {shorten(repr(tag))}: they hold small letters, digits and _ . : -")
    shown = reading.jobs_page(the_yard().database, _person(), status=status, tag=tag, before=_number("before"))
    return render_template("pages/jobs.html", **shown)


def job(job_id: int) -> str:
    """One job."""
    shown = reading.job_page(the_yard().database, _person(), _in_range(job_id))
    return render_template("pages/job.html", **shown)


def submit() -> str:
    """The form for a new job; `from` takes another's spec over, `dataset`, `network` and `run` preset one field."""
    source = _number("from")
    prefill = reading.spec_of(the_yard().database, _person(), source) if source else _preset()
    kinds = [kind for kind in SPECS if the_yard().settings.test_kinds or kind not in TEST_KINDS]
    kind = prefill["kind"] if prefill else request.args.get("kind", kinds[0])
    if kind not in kinds:
        raise InvalidRequest(f"No job kind is called {shorten(kind)!r}. {near_matches(kind, kinds)}")
    known = SEGMENTERS if kind == "segment" else NETWORKS
    networks = {name: network.describe_options() for name, network in known.items()}
    form = make_form(SPECS[kind].model_json_schema(), datasets=_datasets(prefill), networks=networks)
    return render_template(
        "pages/submit.html", form=form, kind=kind, kinds=kinds, prefill=prefill or None, source=source
    )


def compare() -> str:
    """Jobs side by side."""
    ids = read_ids(request.args.get("jobs", ""))
    return render_template("pages/compare.html", **reading.compare_page(the_yard().database, _person(), ids))


def models() -> str:
    """Registered models."""
    return render_template("pages/models.html", **reading.models_page(the_yard().database, _person()))


def model(name: str) -> str:
    """One registered model; `owner` says whose, where it is not one's own."""
    owner = request.args.get("owner")
    return render_template("pages/model.html", **reading.model_page(the_yard().database, _person(), name, owner))


def devices() -> str:
    """Devices and the queue."""
    return render_template("pages/devices.html", **reading.devices_page(the_yard().database, _person()))


def usage() -> str:
    """Who has used how much, and one's own limits."""
    yard = the_yard()
    return render_template("pages/usage.html", **usage_page(yard.database, _person(), yard.settings, at=yard.clock()))


def datasets() -> str:
    """The catalogue of data, and one's own."""
    return render_template("pages/datasets.html", **sets.datasets_page(the_yard().database))


def dataset(name: str) -> str:
    """One dataset of one's own; `version` chooses one, `owner` says whose."""
    yard, number = the_yard(), _number("version")
    shown = sets.set_page(yard.database, yard.blobs, name, owner=_owner(), number=number)
    return render_template("pages/dataset.html", **shown)


def upload() -> str:
    """The form for images of one's own; `add` names the dataset to which they are added."""
    return render_template("pages/upload.html", add=request.args.get("add", "")[:63])


def networks() -> str:
    """The named networks."""
    return render_template("pages/networks.html", **reading.networks_page())


def network(name: str) -> str:
    """One network, for the images and options of its form."""
    path = url_for("pages.network_drawing", name=name)
    return render_template("pages/network.html", **network_page(name, request.args, path))


def network_drawing(name: str) -> Response:
    """The drawing of a network, for the same form."""
    return drawing_reply(drawn_network(name, request.args))


def estimates() -> str:
    """Estimated peaks beside measured ones."""
    return render_template("pages/estimates.html", **reading.estimates_page(the_yard().database, _person()))


def log_in() -> Any:
    """Ask for a name and a password, or a token, and begin a session."""
    after = _safe_next(request.args.get("next", ""))
    if request.method == "GET":
        return redirect(after) if auth.current_person() else render_template("pages/login.html", next=after)
    name, token = request.form.get("name", "").strip().lower(), request.form.get("token", "").strip()
    try:
        auth.check_csrf()
        if "token" in request.form:
            auth.log_in(token)
        else:
            auth.log_in_with_password(name, request.form.get("password", ""))
    except (Unauthorized, Forbidden, TooManyLogins) as error:
        problem, by_token = _why_not(error, token), "token" in request.form
        return render_template(
            "pages/login.html", next=after, name=name, problem=problem, by_token=by_token
        ), error.status
    return redirect(after, 303)


@needs("read")
def log_out() -> Any:
    """End the session."""
    auth.log_out()
    return redirect(url_for("pages.log_in"), 303)


def problem(error: RequestError) -> str:
    """A page that tells of an error."""
    titles = {404: "Not found", 403: "Not allowed", 401: "Log in first"}
    return render_template("pages/problem.html", title=titles.get(error.status, "That did not work"), text=error.text)


def _why_not(error: RequestError, token: str) -> str:
    """What somebody is told who did not get in."""
    if isinstance(error, Forbidden):
        return "This page was open for too long, or another site sent the form. Try again."
    if isinstance(error, TooManyLogins) or "token" not in request.form:
        return error.text
    return "This token is not known here. Check that all of it was copied." if token else "Enter a token."


def _person() -> Person:
    return auth.require_person()


def _datasets(prefill: dict[str, Any]) -> list[str]:
    """What the form offers: the catalogue, one's own, and what a spec that is taken over names."""
    offered = [*CATALOGUE, *sets.own_names(the_yard().database)]
    named = prefill.get("dataset")
    return offered if not named or named in offered else [*offered, named]


def _owner() -> str | None:
    """Whose dataset is meant; None for one's own."""
    owner = request.args.get("owner")
    if owner is not None and not owner.isprintable():
        raise InvalidRequest("Expected the name of a person as `owner`.")
    return owner


def _preset() -> dict[str, Any]:
    """A spec that only names a dataset, a network, or a job to build on, as the links of their pages do."""
    if named := request.args.get("export"):
        return {"kind": "export", "run": int(named) if re.fullmatch(r"[0-9]{1,10}", named) else named}
    dataset, network = request.args.get("dataset"), request.args.get("network")
    if run := _number("run"):
        return {"kind": "predict", "run": {"job": run}, "dataset": dataset or next(iter(CATALOGUE))}
    if not dataset and not network:
        return {}
    return {
        "kind": "train",
        "dataset": dataset or next(iter(CATALOGUE)),
        "network": {"name": network or next(iter(NETWORKS))},
    }


def _number(name: str) -> int | None:
    text = request.args.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise InvalidRequest(f"Expected a whole number as `{name}`, got {shorten(text)!r}.")
    return _in_range(int(text[:30]))


def _in_range(number: int) -> int:
    return min(number, LARGEST_ID)


def _safe_next(address: str) -> str:
    """A path of this site; anything else would lead people away after they logged in."""
    parts = urlsplit(address)
    is_ours = address.startswith("/") and not address.startswith(("//", "/\\")) and not parts.netloc
    return address if is_ours else url_for("pages.jobs")
