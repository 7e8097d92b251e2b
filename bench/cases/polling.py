"""How many people can watch their jobs? `GET /api/v1/jobs/{id}` a second.

A finished job of a whole yard (`trainyard up`: two gunicorn processes, 16 threads each), asked by eight kept-alive
connections of a client that does nothing with the replies; without an ETag (200, the whole job) and with the job's
own (304, no body), in turn. Every request is authenticated and counted against the person's limit, as always.
Beside it, in the same rounds and under the same gunicorn: Flask and SQLAlchemy returning one row, with neither
(`bench/baselines/flask_row.py`). How much the client itself can ask is measured against a server of one canned reply.
A user would pick MLflow's tracking server, which answered 118 such requests a second on a machine of this kind.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack

from bench.databases import KINDS, run_database
from bench.load import ask_repeatedly
from bench.results import Aim
from bench.servers import free_port, run_gunicorn, run_server
from bench.setting import CannotMeasure, Measured, Setting
from bench.statistics import alternate, figure, ratio
from bench.yard import Yard, run_yard

TWENTY_TIMES_MLFLOW = Aim(relation="at least", value=20 * 118)
NO_LIMIT = "1000000/second"


def measure(setting: Setting) -> Measured:
    """Requests a second, on each database."""
    measured = Measured()
    seconds = setting.count(5, 1)
    for kind in KINDS:
        try:
            _measure_database(kind, setting, measured)
        except CannotMeasure as error:
            measured.notes.append(str(error))
    port = free_port()
    command = [sys.executable, "-m", "bench.baselines.canned", str(port)]
    with run_server(command, port, setting.folder / "canned.log", ready="/"):
        asked = [ask_repeatedly(f"http://127.0.0.1:{port}/", seconds=seconds).per_s for _ in range(3)]
    measured.figures.append(figure("the client's own limit", "1/s", asked))
    return measured


def _measure_database(kind: str, setting: Setting, measured: Measured) -> None:
    folder = setting.folder / kind
    with ExitStack() as stack:
        url = stack.enter_context(run_database(kind, folder / "database"))
        yard = stack.enter_context(
            run_yard(folder / "yard", database_url=url, test_kinds=True, child_start="spawn", rate_limit=NO_LIMIT)
        )
        job_id = yard.run({"kind": "noop", "steps": 3})
        path = f"/jobs/{job_id}"
        env = {**os.environ, "ROW_DATABASE_URL": url}
        app = "bench.baselines.flask_row:from_environment()"
        row = stack.enter_context(run_gunicorn(app, folder / "row.log", ready=path, env=env))
        whole, unchanged, plain = alternate(
            setting.count(5, 1),
            _asking(f"{yard.url}/api/v1{path}", _headers(yard), 200, setting),
            _asking(f"{yard.url}/api/v1{path}", {**_headers(yard), "If-None-Match": _etag(yard, path)}, 304, setting),
            _asking(f"{row}{path}", {}, 200, setting),
        )
    measured.figures += [
        figure(f"{kind}, whole job", "1/s", whole, TWENTY_TIMES_MLFLOW),
        figure(f"{kind}, unchanged (ETag, 304)", "1/s", unchanged, TWENTY_TIMES_MLFLOW),
        figure(f"{kind}, plain Flask and SQLAlchemy, one row", "1/s", plain),
        ratio(f"{kind}, whole job : plain Flask", whole, plain),
        ratio(f"{kind}, unchanged : plain Flask", unchanged, plain),
    ]


def _asking(url: str, headers: dict[str, str], status: int, setting: Setting) -> Callable[[], float]:
    def ask() -> float:
        load = ask_repeatedly(url, headers, seconds=setting.count(5, 1))
        if set(load.statuses) != {status}:
            raise RuntimeError(f"Expected only {status} from {url}, got {dict(load.statuses)}.")
        return load.per_s

    return ask


def _headers(yard: Yard) -> dict[str, str]:
    return {"Authorization": f"Bearer {yard.token}"}


def _etag(yard: Yard, path: str) -> str:
    with yard.get(f"/api/v1{path}") as reply:
        return str(reply.headers["ETag"])
