"""How does the yard compare with MLflow's tracking server, on this machine, now?

MLflow is not among the yard's packages: name an interpreter that has it, `python -m bench mlflow --mlflow
/tmp/mlflow/bin/python` (made by `python -m venv` and `pip install mlflow`). Its server runs as it comes, on SQLite,
beside a yard on SQLite. In turn: GETs a second of one run, against GETs of one job with a token; metric points a
second in batches of 100 and of 1,000 (`log-batch` over HTTP from one kept-alive connection, against the recorder's
path, which has no HTTP in it because workers write to SQL); and the memory of all processes after the load, PSS.
"""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import Any

import psutil

from bench.cases.memory import SETTLE_S, read_memory
from bench.cases.metrics import NAMES, time_batches
from bench.cases.polling import NO_LIMIT
from bench.databases import SQLITE, run_database
from bench.load import ask_repeatedly
from bench.results import Aim
from bench.servers import free_port, run_server
from bench.setting import CannotMeasure, Measured, Setting
from bench.statistics import alternate, figure, ratio
from bench.yard import run_yard
from records.database import Database

API = "/api/2.0/mlflow"
TEN_TIMES = Aim(relation="at least", value=10)
TWENTY_TIMES = Aim(relation="at least", value=20)
A_SIXTH = Aim(relation="at most", value=1 / 6)
BATCHES = (100, 1_000)


def measure(setting: Setting) -> Measured:
    """Requests and points a second, and memory, of both; and their ratios."""
    if setting.mlflow is None:
        raise CannotMeasure("MLflow was not measured: name an interpreter that has it with --mlflow PYTHON.")
    measured = Measured()
    with ExitStack() as stack:
        server = stack.enter_context(_run_mlflow(setting))
        yard = stack.enter_context(
            run_yard(setting.folder / "yard", child_start="spawn", test_kinds=True, rate_limit=NO_LIMIT)
        )
        headers = {"Authorization": f"Bearer {yard.token}"}
        job = f"{yard.url}/api/v1/jobs/{yard.run({'kind': 'noop', 'steps': 3})}"
        run = f"http://127.0.0.1:{server.port}{API}/runs/get?run_id={server.run_id}"
        seconds = setting.count(5, 1)
        theirs, ours = alternate(
            setting.count(5, 1),
            lambda: ask_repeatedly(run, seconds=seconds).per_s,
            lambda: ask_repeatedly(job, headers, seconds=seconds).per_s,
        )
        time.sleep(SETTLE_S)
        their_mb, our_mb = [_all_mb(server.pid)], [_all_mb(yard.pid)]
        measured.figures += [
            figure("MLflow, GET of a run", "1/s", theirs),
            figure("yard, GET of a job", "1/s", ours),
            ratio("GETs, yard : MLflow", ours, theirs, TWENTY_TIMES),
            figure("MLflow, all processes", "MB", their_mb),
            figure("yard without the preloaded process", "MB", our_mb),
            ratio("memory, yard : MLflow", our_mb, their_mb, A_SIXTH),
        ]
        url = stack.enter_context(run_database(SQLITE, setting.folder / "points"))
        _measure_points(server, Database(url), setting, measured)
    return measured


class _Server:
    """A running MLflow server with one run."""

    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self.pid = pid
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        experiment = self._post("experiments/create", {"name": "bench"})["experiment_id"]
        made = self._post("runs/create", {"experiment_id": experiment, "start_time": 1})
        self.run_id: str = made["run"]["info"]["run_id"]

    def log_batch(self, points: int, first_step: int) -> None:
        """Send a batch of points of ten metrics."""
        metrics = [
            {"key": f"bench/{n % NAMES}", "value": n * 0.25, "timestamp": 1, "step": first_step + n // NAMES}
            for n in range(points)
        ]
        self._post("runs/log-batch", {"run_id": self.run_id, "metrics": metrics})

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", f"{API}/{path}", json.dumps(body), headers)
        reply = self._connection.getresponse()
        text = reply.read()
        if reply.status != 200:
            raise RuntimeError(f"MLflow answered {reply.status} to {path}: {text[:500]!r}")
        answer: dict[str, Any] = json.loads(text)
        return answer


def _measure_points(server: _Server, database: Database, setting: Setting, measured: Measured) -> None:
    steps = count()
    in_all = setting.count(5_000, 1_000)
    for points, ours in zip(BATCHES, time_batches(database, BATCHES, in_all), strict=True):
        theirs_s, ours_s = alternate(setting.count(5, 1), _sending(server, points, in_all, steps), ours)
        measured.figures += [
            figure(f"MLflow, batches of {points:,}", "points/s", theirs_s),
            figure(f"yard, batches of {points:,}", "points/s", ours_s),
            ratio(f"points, batches of {points:,}, yard : MLflow", ours_s, theirs_s, TEN_TIMES),
        ]
    database.close()


def _sending(server: _Server, points: int, in_all: int, steps: Iterator[int]) -> Callable[[], float]:
    def send() -> float:
        server.close()  # it drops connections that were idle for five seconds; the next request opens a new one
        started = time.perf_counter()
        for _ in range(in_all // points):
            server.log_batch(points, next(steps) * points)
        return in_all / (time.perf_counter() - started)

    return send


@contextmanager
def _run_mlflow(setting: Setting) -> Iterator[_Server]:
    port, store = free_port(), setting.folder / "mlflow"
    store.mkdir()
    command = [str(setting.mlflow), "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{store / 'm.sqlite'}", "--default-artifact-root", str(store)]
    env = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    with run_server(command, port, store / "log", ready="/health", env=env) as process:
        server = _Server(port, process.pid)
        try:
            yield server
        finally:
            server.close()


def _all_mb(root: int) -> float:
    pids = [root, *(process.pid for process in psutil.Process(root).children(recursive=True))]
    return sum(read_memory(pid).pss_mb for pid in pids)
