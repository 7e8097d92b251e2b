"""A worker on another host, which has nothing but three settings: the database, the broker and the blobs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from records.blob_store import make_blobs
from records.settings import Settings, child_environment, tool_environment
from tests.s3_server import S3Server, run_s3
from tests.worker.process import ROOT, WorkerProcess, environment


@pytest.fixture
def s3_server() -> Iterator[S3Server]:
    """A real server of S3's protocol."""
    with run_s3() as server:
        yield server


@pytest.fixture
def settings(settings: Settings, s3_server: S3Server) -> Settings:
    """The yard's, with its files in a bucket."""
    url = SecretStr(s3_server.url(s3_server.make_bucket()))
    return settings.model_copy(update={"blobs_url": url, "lease_s": 5.0})


class OtherHost(WorkerProcess):
    """A worker whose home is its own and whose files lie in the bucket."""

    def __init__(self, settings: Settings, home: Path) -> None:
        home.mkdir()
        self.settings = settings.model_copy(update={"home": home})
        self.log = home / "worker.log"
        blobs_url = settings.blobs_url.get_secret_value()
        told = {**environment(self.settings), "TRAINYARD_BLOBS_URL": blobs_url, "TRAINYARD_WORKER_NAME": home.name}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "worker"], cwd=ROOT, env=told, stdout=log, stderr=log
            )
        self.pid = self.process.pid
        self._seen = set()


def test_a_job_goes_on_on_another_host_from_the_checkpoint_in_the_bucket(
    yard: Any, settings: Settings, tmp_path: Path
) -> None:
    first = OtherHost(settings, tmp_path / "anna")
    try:
        job_id = yard.submit(steps=60, step_s=0.1)
        yard.under_way(job_id, step=12)
    finally:
        first.kill()
    shutil.rmtree(tmp_path / "anna")
    second = OtherHost(settings, tmp_path / "berta")
    try:
        job = yard.finished(job_id, within_s=60)
        assert second.stop() == 0
    finally:
        second.kill()
    assert job.status == "succeeded", second.log.read_text()
    assert yard.run(job_id).summary["resumed_from_step"] > 0
    blobs = make_blobs(settings.model_copy(update={"home": tmp_path / "api"}))
    for artifact in yard.artifacts(job_id).values():
        blobs.fetch(artifact.sha256, tmp_path / "fetched")
        assert (tmp_path / "fetched").stat().st_size == artifact.size_bytes
    assert not (tmp_path / "berta" / "blobs").exists()
    assert "a+secret" not in second.log.read_text()


def test_the_secret_of_the_bucket_reaches_no_child(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINYARD_BLOBS_URL", settings.blobs_url.get_secret_value())
    assert not any("secret" in value for value in child_environment().values())
    assert "TRAINYARD_BLOBS_URL" not in tool_environment()
