"""Backup, restore and retention from the command line, on a yard that runs and on copies of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.trainyard.yard_process import YardProcess, run_yard
from trainyard.cli import app

Trainyard = Callable[..., Result]


@pytest.fixture
def trainyard() -> Trainyard:
    """Call the command line with these words."""
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def succeeded(yard: YardProcess) -> int:
    """A job that has run there."""
    with yard.client() as client:
        job = client.wait(client.submit({"kind": "noop", "steps": 2}).id, timeout_s=60)
    assert job.status == "succeeded"
    return job.id


def test_a_running_yard_is_backed_up_and_rises_again_elsewhere(
    yard: YardProcess, trainyard: Trainyard, tmp_path: Path
) -> None:
    job_id = succeeded(yard)
    made = trainyard("--home", yard.home, "backup", tmp_path / "backup")
    assert made.exit_code == 0, made.output
    checked = trainyard("restore", tmp_path / "backup", "--check")
    assert checked.stdout.strip().endswith("It is whole.")
    restored = trainyard("--home", tmp_path / "copy", "restore", tmp_path / "backup")
    assert restored.exit_code == 0, restored.output
    with yard.client() as client:
        before = client.get(job_id)
    with run_yard(tmp_path / "copy", "--no-worker") as copy, copy.client() as client:
        after = client.get(job_id)
        assert (after.status, after.summary, after.finished_at) == (before.status, before.summary, before.finished_at)
        for artifact in client.artifacts(job_id):
            client.download(job_id, artifact.name, tmp_path / "fetched")


def test_a_yard_that_runs_or_holds_something_is_not_restored_over(
    yard: YardProcess, trainyard: Trainyard, tmp_path: Path
) -> None:
    assert trainyard("--home", yard.home, "backup", tmp_path / "backup").exit_code == 0
    running = trainyard("--home", yard.home, "restore", tmp_path / "backup")
    assert running.exit_code == 1
    assert "A yard runs in" in running.stderr
    assert trainyard("--home", tmp_path / "copy", "restore", tmp_path / "backup").exit_code == 0
    again = trainyard("--home", tmp_path / "copy", "restore", tmp_path / "backup")
    assert again.exit_code == 1
    assert "tables already" in again.stderr


def test_a_damaged_backup_is_told_in_one_line(yard: YardProcess, trainyard: Trainyard, tmp_path: Path) -> None:
    assert trainyard("--home", yard.home, "backup", tmp_path / "backup").exit_code == 0
    (tmp_path / "backup" / "tables" / "jobs.jsonl.gz").write_bytes(b"nonsense")
    for words in (("restore", tmp_path / "backup", "--check"), ("restore", tmp_path / "backup")):
        told = trainyard("--home", tmp_path / "copy", *words)
        assert told.exit_code == 1
        assert "tables/jobs.jsonl.gz is damaged" in told.stderr


def test_retention_lists_first_and_removes_only_when_told_to(
    yard: YardProcess, trainyard: Trainyard, tmp_path: Path
) -> None:
    job_id = succeeded(yard)
    assert trainyard("--home", yard.home, "backup", tmp_path / "backup").exit_code == 0
    assert trainyard("--home", tmp_path / "copy", "restore", tmp_path / "backup").exit_code == 0

    def retention(*words: Any) -> Any:
        result = trainyard("--home", tmp_path / "copy", "retention", *words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    assert retention() == {"applied": False, "jobs": []}
    listed = retention("--bytes", 1)
    assert job_id in [job["job_id"] for job in listed["jobs"]]
    assert {job["why"] for job in listed["jobs"]} == {"size"}
    shown = trainyard("--home", tmp_path / "copy", "retention", "--bytes", 1)
    assert "--apply removes them" in shown.stdout
    assert retention("--bytes", 1, "--apply") == listed | {"applied": True}
    assert retention("--bytes", 1)["jobs"] == []
