"""Registered models from the command line and from Python, against a real yard."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.trainyard.yard_process import YardProcess
from trainyard.cli import app
from trainyard.client import Client
from trainyard.errors import Conflict, NotFound, PreconditionFailed

Trainyard = Callable[..., Result]


@pytest.fixture
def trainyard(yard: YardProcess, monkeypatch: pytest.MonkeyPatch) -> Trainyard:
    """Call the command line with these words, for the shared yard."""
    monkeypatch.setenv("TRAINYARD_HOME", str(yard.home))
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def job_id(yard: YardProcess) -> int:
    """A job that has succeeded and left `noop.json`."""
    with yard.client() as client:
        return client.wait(client.submit({"kind": "noop", "steps": 2}).id, timeout_s=120).id


def _json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_from_a_run_to_a_file_by_its_alias(trainyard: Trainyard, job_id: int, tmp_path: Path) -> None:
    register = ("models", "register", "noops", job_id, "--artifact", "noop.json")
    version = _json(trainyard(*register, "--alias", "champion", "--note", "the first", "--json"))
    assert (version["ref"], version["aliases"], version["note"]) == ("admin/noops@1", ["champion"], "the first")
    assert trainyard(*register).stdout == f"admin/noops@2 is the result of job {job_id}.\n"
    assert "noops@champion is version 2" in trainyard("models", "alias", "noops", "champion", 2).stdout
    shown = trainyard("models", "show", "noops").stdout
    assert "the first" in shown
    assert "user:admin" in shown
    assert "champion→2" in trainyard("models").stdout
    assert [model["name"] for model in _json(trainyard("models", "--json"))] == ["noops"]
    assert [m["to_version"] for m in _json(trainyard("models", "show", "noops", "--json"))["moves"]] == [2, 1]
    result = trainyard("models", "download", "admin/noops@champion", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "out" / "noop.json").read_text())["steps"] == 2

    refused = trainyard("models", "delete", "noops@2")
    assert (refused.exit_code, "champion" in refused.stderr) == (1, True)
    assert trainyard("models", "delete", "noops@champion").exit_code == 2
    assert trainyard("models", "delete", "noops@1").exit_code == 0
    assert trainyard("models", "alias", "noops", "champion", "--remove").exit_code == 0
    assert trainyard("models", "delete", "noops").exit_code == 0
    assert trainyard("models").stdout.startswith("No registered model yet")


def test_what_is_not_there_is_told(trainyard: Trainyard, job_id: int) -> None:
    assert "no registered model 'absent'" in trainyard("models", "show", "absent").stderr
    assert "no artifact 'model.keras'" in trainyard("models", "register", "x", job_id).stderr
    assert trainyard("models", "register", "No", job_id).exit_code == 1
    assert trainyard("models", "alias", "x", "y").exit_code == 2


def test_two_scripts_do_not_move_an_alias_past_each_other(client: Client, job_id: int) -> None:
    for _ in range(3):
        client.models.register("raced", job_id, artifact="noop.json")
    known = client.models.point("raced", "champion", 1)
    client.models.point("raced", "champion", 2, etag=known.etag)
    with pytest.raises(PreconditionFailed):
        client.models.point("raced", "champion", 3, etag=known.etag)
    assert client.models.version("raced@champion").number == 2
    assert client.models.version("raced").number == 3
    with pytest.raises(Conflict):
        client.models.delete("raced")
    with pytest.raises(NotFound):
        client.models.version("raced@9")
    with pytest.raises(NotFound, match=r"It has noop\.json"):
        client.models.download("raced", file="absent")
    client.models.drop_alias("raced", "champion")
    client.models.delete("raced")


def test_tags_that_somebody_adds_meanwhile_are_kept(
    client: Client, job_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit, raced = client.edit, []

    def edit_late(job: int, **changes: Any) -> Any:
        if not raced:
            raced.append(edit(job, tags=["theirs"]))
        return edit(job, **changes)

    monkeypatch.setattr(client, "edit", edit_late)
    assert client.tag(job_id, ["mine"]).tags == ("theirs", "mine")
