"""`trainyard up`: one copy a home, parts that come back, and no process left behind, however it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.trainyard.yard_process import QUICK, YardProcess, all_gone, clean_environment, run_yard
from trainyard.errors import YardError
from trainyard.up import listen

WAIT_S = 90.0
NOOP = {"kind": "noop", "steps": 3}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[YardProcess]:
    """A yard whose parts are killed and come back; no streams, so that watching must poll."""
    home = tmp_path_factory.mktemp("shared")
    with run_yard(home, environment={**QUICK, "TRAINYARD_MAX_STREAMS": "0"}) as yard:
        yield yard


def test_port_zero_takes_a_free_port_and_state_json_tells_it(shared: YardProcess) -> None:
    state = shared.state
    port = state["ports"]["api"]
    assert port > 0
    assert state["url"] == f"http://127.0.0.1:{port}"
    assert state["pid"] == shared.process.pid == state["pids"]["up"]
    assert all(psutil.pid_exists(pid) for pid in state["pids"].values())
    assert Path(state["token_file"]).read_text().startswith("ty_")
    assert stat.S_IMODE(Path(state["token_file"]).stat().st_mode) == 0o600
    assert {"version", "started_at"} <= state.keys()


def test_a_second_copy_on_the_same_home_is_refused(shared: YardProcess) -> None:
    second = YardProcess(shared.home)
    output = second.output()
    assert second.process.returncode == 1
    assert f"process {shared.process.pid}, {shared.state['url']}" in output
    assert len(output.splitlines()) == 1
    assert shared.state["pid"] == shared.process.pid


def test_no_secret_stands_on_a_command_line_or_in_the_brokers_environment(shared: YardProcess) -> None:
    url = (shared.home / "broker" / "url").read_text().strip()
    password = url.split(":")[2].split("@")[0]
    lines = [" ".join(p.cmdline()) for p in shared.processes()]
    assert not any(password in line for line in lines)
    broker = psutil.Process(shared.state["pids"]["broker"])
    assert password not in str(broker.environ())
    assert password in str(psutil.Process(shared.state["pids"]["worker"]).environ())


def test_only_loopback_listens(shared: YardProcess) -> None:
    listening = {
        c.laddr.ip for p in shared.processes() for c in p.net_connections("inet") if c.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_without_streams_a_job_is_watched_by_polling(shared: YardProcess) -> None:
    with shared.client() as client:
        job = client.submit({"kind": "noop", "steps": 20, "step_s": 0.1})
        seen = [job.status for job in client.watch(job.id)]
    assert seen[-1] == "succeeded"
    assert "running" in seen


@pytest.mark.parametrize("part", ["api", "worker", "broker"])
def test_a_killed_part_comes_back_and_jobs_run(shared: YardProcess, part: str, eventually: Callable[..., Any]) -> None:
    before = shared.state
    os.kill(before["pids"][part], signal.SIGKILL)
    eventually(lambda: shared.state["pids"][part] not in (None, before["pids"][part]), within_s=WAIT_S)
    assert shared.state["ports"] == before["ports"]
    with shared.client() as client:
        job = client.wait(client.submit(NOOP).id, timeout_s=WAIT_S)
    assert job.status == "succeeded"
    assert len(job.attempts) == 1


def test_one_interrupt_stops_everything_and_leaves_nothing(tmp_path: Path, eventually: Callable[..., Any]) -> None:
    with run_yard(tmp_path) as yard:
        with yard.client() as client:
            job = client.submit({"kind": "noop", "steps": 10_000, "step_s": 0.05})
            eventually(lambda: client.get(job.id).status == "running", within_s=WAIT_S)
        processes = yard.processes()
        output = yard.interrupt()
        assert yard.process.returncode == 0, output
        assert all_gone(processes)
        assert output.splitlines()[0].startswith("Trainyard is ready at http://127.0.0.1:")
        assert output.splitlines()[-1] == "Trainyard has stopped."
        assert not (tmp_path / "state.json").exists()
    _the_interrupted_job_goes_on_in_a_later_yard(tmp_path, job.id)


def _the_interrupted_job_goes_on_in_a_later_yard(home: Path, job_id: int) -> None:
    with run_yard(home) as later, later.client() as client:
        first = client.get(job_id).attempts[0]
        assert first.status == "interrupted"
        client.cancel(job_id)
        assert client.wait(job_id, timeout_s=WAIT_S).status == "cancelled"


def test_a_second_interrupt_hastens_the_stop(tmp_path: Path, eventually: Callable[..., Any]) -> None:
    with run_yard(tmp_path, environment={**QUICK, "TRAINYARD_STOP_GRACE_S": "600"}) as yard:
        with yard.client() as client:
            job = client.submit({"kind": "noop", "steps": 10_000, "step_s": 0.1, "ignore_stop": True})
            eventually(lambda: client.get(job.id).status == "running", within_s=WAIT_S)
        processes = yard.processes()
        yard.process.send_signal(signal.SIGINT)
        log = yard.home / "logs" / "worker.log"
        eventually(lambda: "stop" in log.read_text() or "drain" in log.read_text(), within_s=WAIT_S)
        output = yard.interrupt()
        assert yard.process.returncode == 0, output
        assert all_gone(processes)


def test_a_supervisor_that_is_killed_takes_everything_with_it(tmp_path: Path, eventually: Callable[..., Any]) -> None:
    with run_yard(tmp_path) as yard:
        processes = yard.processes()
        assert len(processes) > 4
        os.kill(yard.process.pid, signal.SIGKILL)
        eventually(lambda: all_gone(processes), within_s=WAIT_S)
        yard.process.communicate()


def test_a_part_that_cannot_live_ends_the_yard_with_its_reason(tmp_path: Path, eventually: Callable[..., Any]) -> None:
    with run_yard(tmp_path, "--no-worker") as yard:
        processes = yard.processes()

        def killed_until_it_gave_up() -> bool:
            if (pid := yard.state.get("pids", {}).get("api")) is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return yard.process.poll() is not None

        eventually(killed_until_it_gave_up, within_s=WAIT_S)
        output = yard.output()
        assert yard.process.returncode == 1
        assert "The api ended 8 times soon after its start, last with signal SIGKILL." in output
        assert str(tmp_path / "logs" / "api.log") in output
        assert all_gone(processes)
        assert not yard.state


def test_a_database_that_is_not_there_ends_the_start_with_its_reason(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/no/such/folder/yard.sqlite"
    yard = YardProcess(tmp_path, environment={**QUICK, "DATABASE_URL": url})
    try:
        output = yard.output()
        assert yard.process.returncode == 1
        assert "The database could not be prepared" in output
        assert not (tmp_path / "state.json").exists()
    finally:
        yard.end()


def test_a_taken_port_is_a_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        argv = [sys.executable, "-m", "trainyard", "up", "--home", str(tmp_path), "--port", str(port)]
        ended = subprocess.run(argv, capture_output=True, text=True, env=clean_environment({}), check=False)
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        f"trainyard: Port {port} of 127.0.0.1 is taken by another program. "
        "Stop that one, or choose another with --port (0 takes a free one)."
    ]


def test_a_foreign_address_is_a_clear_error() -> None:
    with pytest.raises(YardError, match=r"192\.0\.2\.1"):
        listen("192.0.2.1", 0)
