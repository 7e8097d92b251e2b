"""The embedded broker: a password, loopback only, nothing lost over a restart, no life after its parent's."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from redis import Redis
from redis.exceptions import AuthenticationError

from tests.trainyard.yard_process import all_gone
from trainyard.broker import EmbeddedBroker
from trainyard.errors import YardError


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker(tmp_path / "a broker")
    broker.start()
    yield broker
    broker.stop()


def test_it_serves_those_with_the_password(broker: EmbeddedBroker) -> None:
    with Redis.from_url(broker.url) as client:
        assert client.ping()


def test_it_refuses_those_without_the_password(broker: EmbeddedBroker) -> None:
    with Redis(port=broker.port) as client, pytest.raises(AuthenticationError):
        client.ping()


def test_it_listens_on_loopback_alone(broker: EmbeddedBroker) -> None:
    listening = [c.laddr.ip for c in psutil.Process(broker.pid).net_connections("inet") if c.status == "LISTEN"]
    assert listening == ["127.0.0.1"]


def test_the_password_is_in_no_command_line_and_no_readable_file(broker: EmbeddedBroker) -> None:
    password = broker.url.split(":")[2].split("@")[0]
    assert password not in " ".join(psutil.Process(broker.pid).cmdline())
    assert stat.S_IMODE((broker.folder / "url").stat().st_mode) == 0o600
    assert stat.S_IMODE(broker.folder.stat().st_mode) == 0o700


def test_it_never_evicts_and_writes_every_second(broker: EmbeddedBroker) -> None:
    with Redis.from_url(broker.url) as client:
        assert client.config_get("maxmemory-policy", "appendonly", "appendfsync") == {
            "maxmemory-policy": "noeviction",
            "appendonly": "yes",
            "appendfsync": "everysec",
        }


def test_a_restart_keeps_address_and_content(broker: EmbeddedBroker) -> None:
    with Redis.from_url(broker.url) as client:
        client.rpush("bells", "1", "2")
    broker.stop()
    later = EmbeddedBroker(broker.folder)
    later.start()
    try:
        assert later.url == broker.url
        with Redis.from_url(later.url, decode_responses=True) as client:
            assert client.lrange("bells", 0, -1) == ["1", "2"]
    finally:
        later.stop()


def test_a_taken_port_is_a_clear_error(broker: EmbeddedBroker, tmp_path: Path) -> None:
    with pytest.raises(YardError, match=f"port {broker.port}"):
        EmbeddedBroker(tmp_path / "other", port=broker.port).start()


def test_a_kept_port_that_another_took_is_given_up(broker: EmbeddedBroker, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "url").write_text(broker.url)
    other = EmbeddedBroker(folder)
    other.start()
    try:
        assert other.port != broker.port
    finally:
        other.stop()


def test_it_dies_with_a_parent_that_is_killed(tmp_path: Path, eventually: Callable[..., object]) -> None:
    program = (
        "import sys, pathlib; from trainyard.broker import EmbeddedBroker;"
        "b = EmbeddedBroker(pathlib.Path(sys.argv[1])); b.start(); print(b.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        server = psutil.Process(int(parent.stdout.readline()))
        os.kill(parent.pid, signal.SIGKILL)
    eventually(lambda: all_gone([server]))
