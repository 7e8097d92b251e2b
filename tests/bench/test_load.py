"""The client counts what a server answers."""

import sys

from bench.load import ask_repeatedly
from bench.servers import free_port, run_server


def test_the_client_counts_whole_replies_by_status(tmp_path):
    port = free_port()
    command = [sys.executable, "-m", "bench.baselines.canned", str(port)]
    with run_server(command, port, tmp_path / "log", ready="/"):
        load = ask_repeatedly(f"http://127.0.0.1:{port}/", connections=3, seconds=0.1)
    assert set(load.statuses) == {200}
    assert load.per_s > 0
