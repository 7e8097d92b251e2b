"""Notes, tags, clones and comparisons from the command line, against a real yard."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.trainyard.yard_process import YardProcess
from trainyard.cli import app

Trainyard = Callable[..., Result]


@pytest.fixture
def trainyard(yard: YardProcess, monkeypatch: pytest.MonkeyPatch) -> Trainyard:
    """Call the command line with these words, for the shared yard."""
    monkeypatch.setenv("TRAINYARD_HOME", str(yard.home))
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def submit(trainyard: Trainyard) -> Callable[..., int]:
    """`submit(**fields)`: the number of a noop job."""

    def submit_one(**fields: Any) -> int:
        sets = [word for name, value in fields.items() for word in ("--set", f"{name}={value}")]
        return int(_json(trainyard("submit", "--kind", "noop", *sets, "--json"))["id"])

    return submit_one


def _json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_note_is_written_and_taken_away(trainyard: Trainyard, submit: Callable[..., int]) -> None:
    job_id = submit()
    job = _json(trainyard("note", job_id, "the rate was\ntoo high", "--name", "first try", "--json"))
    assert (job["note"], job["name"]) == ("the rate was\ntoo high", "first try")
    assert "too high" in trainyard("show", job_id).stdout
    assert "has no note" in trainyard("note", job_id, "").stdout
    assert _json(trainyard("show", job_id, "--json"))["note"] is None


def test_tags_are_added_and_taken_away_whatever_letters_they_begin_with(
    trainyard: Trainyard, submit: Callable[..., int]
) -> None:
    job_id = submit()
    assert _json(trainyard("tag", job_id, "+good", "+hard", "+json", "--json"))["tags"] == ["good", "hard", "json"]
    said = trainyard("tag", job_id, "+cv-1", "-hard", "-json")
    assert said.stdout == f"Job {job_id} is tagged good cv-1.\n"
    assert [job["id"] for job in _json(trainyard("list", "--tag", "cv-1", "--json"))] == [job_id]
    assert "good cv-1" in trainyard("list", "--tag", "cv-1").stdout
    assert _json(trainyard("list", "--tag", "hard", "--json")) == []
    assert "has no tags" in trainyard("tag", job_id, "-good", "-cv-1").stdout


def test_a_tag_without_its_sign_is_wrong_usage_and_a_bad_one_is_named(
    trainyard: Trainyard, submit: Callable[..., int]
) -> None:
    job_id = submit()
    assert trainyard("tag", job_id, "good").exit_code == 2
    assert trainyard("tag", job_id, "+").exit_code == 2
    refused = trainyard("tag", job_id, "+Good")
    assert (refused.exit_code, "tags.0" in refused.stderr) == (1, True)


def test_a_clone_with_one_change(trainyard: Trainyard, submit: Callable[..., int]) -> None:
    job_id = submit(steps=2, points_per_step=3)
    clone = _json(trainyard("clone", job_id, "--set", "steps=4", "--set", "points_per_step=null", "--json"))
    assert (clone["cloned_from"], clone["spec"]["steps"], clone["spec"]["points_per_step"]) == (job_id, 4, 1)
    assert ["clone", "of", str(job_id)] in [line.split() for line in trainyard("show", clone["id"]).stdout.splitlines()]
    assert trainyard("clone", job_id, "--set", "steps").exit_code == 2
    assert "steps: " in trainyard("clone", job_id, "--set", "steps=-1").stderr
    assert trainyard("clone", job_id, "--watch").exit_code == 0


def test_jobs_side_by_side(trainyard: Trainyard, submit: Callable[..., int]) -> None:
    first, second = submit(steps=2, name="short"), submit(steps=30)
    for job_id in (first, second):
        assert trainyard("watch", job_id).exit_code == 0
    found = _json(trainyard("compare", first, second, "--json"))
    assert {row["path"]: row["values"] for row in found["differs"]} == {"steps": [2, 30]}
    table = trainyard("compare", first, second).stdout
    lines = {line.split()[0]: line.split()[1:] for line in table.splitlines()[1:]}
    assert table.split()[:2] == [f"#{first}", f"#{second}"]
    assert lines["steps"] == ["2", "30"]
    assert "max_retries" not in lines
    assert "max_retries" in trainyard("compare", first, second, "--all").stdout
    assert trainyard("compare", first).exit_code == 1


def test_an_export_of_what_leaves_no_model_is_refused(trainyard: Trainyard, submit: Callable[..., int]) -> None:
    job_id = submit()
    assert trainyard("watch", job_id).exit_code == 0
    refused = trainyard("export", job_id, "--format", "onnx,tflite")
    assert (refused.exit_code, "predicts nothing" in refused.stderr) == (1, True)
    assert "formats.0" in trainyard("export", job_id, "--format", "onyx").stderr
    assert "no registered model 'digits'" in trainyard("export", "digits@champion").stderr
