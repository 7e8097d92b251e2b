"""The commands, against a real yard."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.trainyard.yard_process import YardProcess, clean_environment
from trainyard.cli import app

Trainyard = Callable[..., Result]


@pytest.fixture
def trainyard(yard: YardProcess, monkeypatch: pytest.MonkeyPatch) -> Trainyard:
    """Call the command line with these words, for the shared yard."""
    monkeypatch.setenv("TRAINYARD_HOME", str(yard.home))
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def finished(trainyard: Trainyard) -> int:
    """A job that has gone through, sent from the command line."""
    result = trainyard("submit", "--kind", "noop", "--set", "steps=2", "--set", "name=from the shell", "--watch")
    assert result.exit_code == 0, result.output
    return int(_json(trainyard("list", "--name", "from the shell", "--limit", 1, "--json"))[0]["id"])


def _json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_submitted_file_becomes_a_job(trainyard: Trainyard, tmp_path: Path) -> None:
    file = tmp_path / "spec.json"
    file.write_text(json.dumps({"kind": "noop", "steps": 1}))
    job = _json(trainyard("submit", file, "--set", "steps=2", "--json"))
    assert (job["kind"], job["spec"]["steps"]) == ("noop", 2)


def test_the_fields_that_the_yard_refuses_are_named(trainyard: Trainyard) -> None:
    result = trainyard("submit", "--kind", "train", "--set", "dataset=mnist", "--set", "epochs=0", "--set", "colour=1")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "\n  epochs: " in result.stderr
    assert "\n  colour: Unknown field" in result.stderr
    assert "\n  network: " in result.stderr


def test_a_job_is_shown_with_what_became_of_it(trainyard: Trainyard, finished: int) -> None:
    result = trainyard("show", finished)
    assert result.exit_code == 0
    assert f"#{finished} from the shell" in result.stdout
    assert "succeeded" in result.stdout
    assert _json(trainyard("show", finished, "--json"))["status"] == "succeeded"


def test_watching_prints_plain_lines_where_there_is_no_terminal(trainyard: Trainyard, finished: int) -> None:
    result = trainyard("watch", finished)
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    assert f"#{finished} from the shell succeeded" in result.stdout


def test_watching_as_json_is_one_object_a_line(trainyard: Trainyard) -> None:
    job = _json(trainyard("submit", "--kind", "noop", "--set", "steps=3", "--json"))
    result = trainyard("watch", job["id"], "--json")
    assert result.exit_code == 0
    assert [json.loads(line)["status"] for line in result.stdout.splitlines()][-1] == "succeeded"


def test_a_failed_job_ends_watching_with_status_1_and_its_reason(trainyard: Trainyard) -> None:
    words = ["--kind", "noop", "--set", "steps=2", "--set", "fail_at=1", "--set", "fail_code=diverged"]
    result = trainyard("submit", *words, "--watch")
    assert result.exit_code == 1
    assert "diverged" in result.stdout


def test_cancel_and_retry(trainyard: Trainyard) -> None:
    job = _json(trainyard("submit", "--kind", "noop", "--set", "steps=5000", "--set", "step_s=0.1", "--json"))
    assert trainyard("cancel", job["id"]).exit_code == 0
    assert trainyard("watch", job["id"]).exit_code == 1
    assert _json(trainyard("retry", job["id"], "--json"))["status"] in ("queued", "running")
    assert trainyard("cancel", job["id"]).exit_code == 0


def test_a_finished_job_cannot_be_cancelled(trainyard: Trainyard, finished: int) -> None:
    result = trainyard("cancel", finished)
    assert result.exit_code == 1
    assert "already succeeded" in result.stderr


def test_everything_is_downloaded_but_checkpoints(trainyard: Trainyard, finished: int, tmp_path: Path) -> None:
    listed = _json(trainyard("artifacts", finished, "--json"))
    result = trainyard("download", finished, "--all", "-o", tmp_path / "results")
    assert result.exit_code == 0
    kept = {a["name"] for a in listed if a["kind"] != "checkpoint"}
    assert {p.name for p in (tmp_path / "results").iterdir()} == kept != {a["name"] for a in listed}


def test_downloading_nothing_in_particular_is_wrong_usage(trainyard: Trainyard, finished: int) -> None:
    assert trainyard("download", finished).exit_code == 2
    assert trainyard("submit").exit_code == 2


def test_logs_are_lines_or_json(trainyard: Trainyard, finished: int) -> None:
    texts = [json.loads(line)["text"] for line in trainyard("logs", finished, "--json").stdout.splitlines()]
    assert [line.split(" ", 1)[1] for line in trainyard("logs", finished).stdout.splitlines()] == texts


@pytest.mark.parametrize("command", ["list", "datasets", "networks", "devices", "queue", "version", "config show"])
def test_every_look_is_a_table_or_pure_json(trainyard: Trainyard, command: str) -> None:
    plain = trainyard(*command.split())
    assert plain.exit_code == 0
    assert plain.stdout.strip()
    assert isinstance(_json(trainyard(*command.split(), "--json")), list | dict)


def test_a_network_is_shown_with_its_options(trainyard: Trainyard) -> None:
    assert "61,706" in trainyard("networks", "show", "lenet5").stdout
    missed = trainyard("networks", "show", "lenet")
    assert missed.exit_code == 1
    assert "Did you mean lenet5" in missed.stderr


def test_config_shows_where_settings_come_from_and_no_secret(
    trainyard: Trainyard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAINYARD_TOKEN", "ty_secret")
    monkeypatch.setenv("REDIS_URL", "redis://:secret@example.org:6379/0")
    monkeypatch.setenv("DATABASE_URL", "postgresql://yard:secret@example.org/yard")
    result = trainyard("config", "show", "--json")
    shown = _json(result)
    assert "secret" not in result.stdout
    assert shown["REDIS_URL"] == {"value": "redis://:***@example.org:6379/0", "source": "environment"}
    assert shown["TRAINYARD_TOKEN"] == {"value": "***", "source": "environment"}
    assert shown["TRAINYARD_LEASE_S"]["source"] == "default"
    assert trainyard("--home", "/nowhere", "config", "show", "--json").stdout.count("command line") == 2


def test_no_yard_is_status_3_and_says_how_to_start_one(tmp_path: Path, trainyard: Trainyard) -> None:
    result = trainyard("--home", tmp_path, "list")
    assert result.exit_code == 3
    assert str(tmp_path) in result.stderr
    assert "trainyard up" in result.stderr


def test_a_setting_that_makes_no_sense_is_named(trainyard: Trainyard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINYARD_LEASE_S", "-1")
    result = trainyard("config", "show")
    assert result.exit_code == 1
    assert "\n  lease_s: Input should be greater than 0" in result.stderr


def test_a_wrong_token_is_explained(trainyard: Trainyard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINYARD_TOKEN", "ty_wrong")
    result = trainyard("list")
    assert result.exit_code == 1
    assert "TRAINYARD_TOKEN" in result.stderr


def test_the_command_line_loads_neither_the_doors_nor_tensorflow() -> None:
    program = (
        "import sys, trainyard.cli, trainyard.client, trainyard.up, trainyard.cli.demo, trainyard.cli.watching;"
        "print(*{m.partition('.')[0] for m in sys.modules} & {'api', 'worker', 'ml', 'tensorflow', 'keras', 'flask',"
        " 'celery', 'sqlalchemy'})"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == ""


def test_help_loads_no_client() -> None:
    program = (
        "import sys, trainyard.cli; print(*{m.partition('.')[0] for m in sys.modules} & {'httpx', 'pydantic', 'rich'})"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == ""


def test_a_reader_that_has_seen_enough_is_no_trouble(yard: YardProcess) -> None:
    environment = clean_environment({"TRAINYARD_HOME": str(yard.home)})
    command = [sys.executable, "-m", "trainyard", "config", "show"]
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, env=environment, check=False)
    os.close(writer)
    assert ended.stderr == ""
