"""The Python client against a real yard over a real socket."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from records.settings import Settings
from records.specs import NoopSpec
from tests.trainyard.yard_process import YardProcess
from trainyard import Client
from trainyard.errors import (
    Conflict,
    DamagedDownload,
    InvalidRequest,
    NotAuthorized,
    NotFound,
    UnexpectedReply,
    Unreachable,
)

NOOP = {"kind": "noop", "steps": 3}
WAIT_S = 60.0


def test_a_job_goes_through_with_everything_typed(client: Client) -> None:
    job = client.submit({**NOOP, "name": "typed"})
    assert (job.kind, job.title, job.owner) == ("noop", "typed", "admin")
    job = client.wait(job.id, timeout_s=WAIT_S)
    assert job.status == "succeeded"
    assert job.progress == 1.0
    assert [a.status for a in job.attempts] == ["succeeded"]
    assert job.finished_at is not None
    assert job.finished_at >= job.created_at
    assert [e.to_status for e in client.events(job.id) if e.to_status] == ["queued", "running", "succeeded"]
    assert {p.step for p in client.metrics(job.id)} == {1, 2, 3}
    assert "noop.json" in [a.name for a in client.artifacts(job.id)]


def test_a_spec_class_is_as_good_as_a_mapping(client: Client) -> None:
    assert client.submit(NoopSpec(name="from a class")).name == "from a class"


def test_one_key_makes_one_job(client: Client) -> None:
    first = client.submit(NOOP, idempotency_key="one-key")
    assert client.submit(NOOP, idempotency_key="one-key").id == first.id
    assert client.submit(NOOP).id != client.submit(NOOP).id


def test_a_list_goes_on_over_its_pages(client: Client) -> None:
    made = [client.submit({**NOOP, "name": "paged"}).id for _ in range(5)]
    page = client.page(name="paged", limit=2)
    assert [job.id for job in page] == made[:2:-1]
    assert page.next is not None
    assert [job.id for job in client.page(name="paged", limit=2, cursor=page.next)] == made[2:0:-1]
    assert [job.id for job in client.list(name="paged")] == made[::-1]
    assert [job.id for job in client.list(name="paged", limit=3)] == made[:1:-1]


def test_watching_ends_with_the_finished_job(client: Client) -> None:
    job = client.submit({"kind": "noop", "steps": 10, "step_s": 0.05})
    seen = list(client.watch(job.id))
    assert seen[-1].status == "succeeded"
    assert [s.is_finished for s in seen].count(True) == 1
    assert "running" in [s.status for s in seen]
    progress = [s.progress for s in seen]
    assert progress == sorted(progress)


def test_watching_survives_the_death_of_the_api(client: Client, yard: YardProcess) -> None:
    job = client.submit({"kind": "noop", "steps": 60, "step_s": 0.05})
    killed = False
    for update in client.watch(job.id):
        if update.status == "running" and not killed:
            os.kill(yard.state["pids"]["api"], signal.SIGKILL)
            killed = True
    assert killed
    assert update.status == "succeeded"


def test_waiting_ends_at_its_limit(client: Client) -> None:
    job = client.submit({"kind": "noop", "steps": 1000, "step_s": 0.1})
    with pytest.raises(TimeoutError, match=f"Job {job.id} is"):
        client.wait(job.id, timeout_s=0.3)
    client.cancel(job.id)
    assert client.wait(job.id, timeout_s=WAIT_S).status == "cancelled"


def test_a_failed_job_can_be_tried_again(client: Client) -> None:
    job = client.submit({"kind": "noop", "steps": 2, "fail_at": 1, "fail_attempts": 1})
    job = client.wait(job.id, timeout_s=WAIT_S)
    assert job.status == "failed"
    assert job.reason is not None
    assert job.reason.code == "recipe_failed"
    assert client.retry(job.id).status != "failed"
    assert client.wait(job.id, timeout_s=WAIT_S).status == "succeeded"


def test_a_finished_job_cannot_be_cancelled(client: Client) -> None:
    job = client.wait(client.submit(NOOP).id, timeout_s=WAIT_S)
    with pytest.raises(Conflict) as caught:
        client.cancel(job.id)
    assert (caught.value.status, caught.value.code) == (409, "conflict")


def test_a_bad_spec_names_each_field(client: Client) -> None:
    with pytest.raises(InvalidRequest) as caught:
        client.submit({"kind": "noop", "steps": -1, "colour": "red"})
    assert caught.value.code == "invalid_spec"
    assert {p.path for p in caught.value.problems} == {"steps", "colour"}


def test_what_is_not_there_is_not_found(client: Client) -> None:
    with pytest.raises(NotFound):
        client.get(999_999)
    with pytest.raises(NotFound):
        client.network("lenet6")


def test_a_wrong_token_is_not_authorized(yard: YardProcess) -> None:
    with Client(yard.state["url"], "ty_wrong") as stranger, pytest.raises(NotAuthorized):
        next(stranger.list())


def test_nobody_there_is_unreachable() -> None:
    with socket.socket() as taken:  # bound, but it does not listen
        taken.bind(("127.0.0.1", 0))
        with Client(f"http://127.0.0.1:{taken.getsockname()[1]}", patience_s=0.3) as lost, pytest.raises(Unreachable):
            lost.version()


def test_a_log_is_read_to_its_end_while_it_grows(client: Client) -> None:
    job = client.submit({"kind": "noop", "steps": 5, "step_s": 0.05})
    followed = [line.text for line in client.logs(job.id, follow=True)]
    assert client.get(job.id).is_finished
    assert followed == [line.text for line in client.logs(job.id)]


def test_the_yard_tells_of_datasets_networks_and_devices(client: Client) -> None:
    assert "mnist" in [d.name for d in client.datasets()]
    assert "lenet5" in [n.name for n in client.networks()]
    assert client.network("lenet5").parameters == 61_706
    assert [d.kind for d in client.devices()]
    assert list(client.queue()) == [] or next(client.queue()).place >= 1


# ── downloads ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session")
def finished(yard: YardProcess) -> int:
    """The id of a finished job with artifacts."""
    with yard.client() as client:
        return client.wait(client.submit({"kind": "noop", "steps": 2}).id, timeout_s=WAIT_S).id


def _right_bytes(client: Client, job_id: int, path: Path) -> bool:
    recorded = {a.name: a.sha256 for a in client.artifacts(job_id)}
    return hashlib.sha256(path.read_bytes()).hexdigest() == recorded[path.name]


def test_a_download_has_the_recorded_bytes(client: Client, finished: int, tmp_path: Path) -> None:
    path = client.download(finished, "noop.json", tmp_path)
    assert path == tmp_path / "noop.json"
    assert _right_bytes(client, finished, path)
    assert [p.name for p in tmp_path.iterdir()] == ["noop.json"]


def test_a_download_goes_on_where_it_broke_off(client: Client, finished: int, tmp_path: Path) -> None:
    whole = client.download(finished, "noop.json", tmp_path / "whole.json").read_bytes()
    (tmp_path / "noop.json.part").write_bytes(whole[:10])
    told: list[int] = []
    path = client.download(finished, "noop.json", tmp_path, tell=told.append)
    assert path.read_bytes() == whole
    assert told == [len(whole)]  # one piece, written behind the ten bytes


@pytest.mark.parametrize("left", [b"other", b"x" * 37, b"y" * 500])
def test_what_another_download_left_does_no_harm(client: Client, finished: int, tmp_path: Path, left: bytes) -> None:
    (tmp_path / "noop.json.part").write_bytes(left)
    assert _right_bytes(client, finished, client.download(finished, "noop.json", tmp_path))


def test_damaged_bytes_are_not_kept(client: Client, finished: int, tmp_path: Path, yard: YardProcess) -> None:
    job = client.wait(client.submit({"kind": "noop", "steps": 7}).id, timeout_s=WAIT_S)
    artifact = next(a for a in client.artifacts(job.id) if a.name == "noop.json")
    (stored,) = (p for p in (yard.home / "blobs").rglob("*") if p.name.endswith(artifact.sha256[-32:]))
    right = stored.read_bytes()
    stored.chmod(0o600)
    stored.write_bytes(b"#" * artifact.size_bytes)
    try:
        with pytest.raises(DamagedDownload, match="SHA-256"):
            client.download(job.id, "noop.json", tmp_path)
    finally:
        stored.write_bytes(right)  # other tests use this yard
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_artifact_is_not_found(client: Client, finished: int, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"noop\.json"):
        client.download(finished, "nop.json", tmp_path)


# ── finding the yard ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_home_is_enough_to_find_its_yard(yard: YardProcess) -> None:
    with Client.from_settings(Settings(home=yard.home)) as found:
        assert found.url == yard.state["url"]
        assert found.get(found.submit(NOOP).id).owner == "admin"


def test_a_home_without_a_yard_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="No yard runs"):
        Client.from_settings(Settings(home=tmp_path))


def test_what_is_no_yard_is_an_unexpected_reply() -> None:
    class Greeter(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<h1>Welcome</h1>")

        def log_message(self, *args: object) -> None:
            """Be quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Greeter) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            with (
                Client(f"http://127.0.0.1:{server.server_port}") as odd,
                pytest.raises(UnexpectedReply, match="a yard"),
            ):
                odd.get(1)
        finally:
            server.shutdown()
