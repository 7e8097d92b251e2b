"""`trainyard datasets`, against a real yard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.pictures import folder_a_class, picture
from tests.trainyard.yard_process import YardProcess
from trainyard.cli import app
from trainyard.cli.datasets import name_from


@pytest.fixture
def run(yard: YardProcess, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`trainyard datasets` with these words."""
    monkeypatch.setenv("TRAINYARD_HOME", str(yard.home))
    return lambda *given, **more: CliRunner().invoke(app, ["datasets", *map(str, given)], **more)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with two classes."""
    return _write(tmp_path / "Ants and Bees", folder_a_class())


@pytest.fixture
def spoilt(photos: Path) -> Path:
    """The same with a file that is broken."""
    return _write(photos, {"bees/broken.jpg": picture(1)[:250]})


def _write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def _json(result: Any) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_folder_is_sent_and_its_report_printed(run, photos):
    result = run("upload", photos, "--split", "50/25/25", "--seed", 3)
    assert result.exit_code == 0, result.output
    assert "admin/ants-and-bees@1 is ready." in result.stdout
    assert "Train on it with `dataset=ants-and-bees`" in result.stdout
    row = next(line.split() for line in result.stdout.splitlines() if line.startswith("ants "))
    assert row[0] == "ants"
    assert sum(map(int, row[1:4])) == int(row[4]) == 6
    shown = _json(run("show", "ants-and-bees@1", "--json"))
    assert shown["options"]["splits"] == {"train": 0.5, "val": 0.25, "test": 0.25, "seed": 3}
    report = _json(run("report", "ants-and-bees", "--json"))
    assert report["new_images"] == 12
    assert "Look at this" in run("report", "ants-and-bees").stdout


def test_a_refused_set_ends_with_status_1_and_is_tried_again_without_sending(run, spoilt):
    refused = run("upload", spoilt, "--name", "spoilt")
    assert refused.exit_code == 1
    assert "bees/broken.jpg" in refused.stdout
    assert "trainyard datasets retry spoilt --skip-bad" in refused.stdout
    again = run("retry", "spoilt", "--skip-bad")
    assert again.exit_code == 0, again.output
    assert "admin/spoilt@2 is ready." in again.stdout
    assert run("retry", "spoilt", "--skip-bad").exit_code == 2
    versions = run("versions", "spoilt").stdout.splitlines()
    assert [line.split()[:2] for line in versions[1:]] == [["2", "ready"], ["1", "refused"]]


def test_json_is_pure_and_a_refusal_in_it_ends_with_status_1_too(run, spoilt):
    refused = run("upload", spoilt, "--name", "spoilt-json", "--json")
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["reason"]["code"] == "bad_files"
    taken = run("upload", spoilt, "--name", "taken-json", "--skip-bad", "--json")
    assert _json(taken)["status"] == "ready"


def test_one_need_not_wait_for_the_check(run, photos):
    result = run("upload", photos, "--name", "later", "--no-wait")
    assert result.exit_code == 0
    assert "admin/later@1 is being checked" in result.stdout


def test_everything_is_listed_shown_saved_and_deleted(run, photos, tmp_path):
    assert run("upload", photos, "--name", "whole-life").exit_code == 0
    assert "admin/whole-life" in run().stdout
    assert "mnist" in run("list").stdout
    assert {row["name"] for row in _json(run("list", "--mine", "--json"))} >= {"whole-life"}
    assert "mnist" not in run("list", "--mine").stdout
    shown = run("show", "whole-life")
    assert "admin/whole-life@1" in shown.stdout
    counts = _json(run("show", "whole-life@1", "--json"))["counts"]
    assert " + ".join(f"{count} {split}" for split, count in counts.items()) in shown.stdout
    saved = run("sheet", "whole-life", "--class", "ants", "-o", tmp_path / "ants.png")
    assert saved.exit_code == 0
    assert (tmp_path / "ants.png").read_bytes().startswith(b"\x89PNG")
    kept = run("delete", "whole-life", input="n\n")
    assert kept.exit_code == 1
    assert run("delete", "whole-life", "--yes").exit_code == 0
    missed = run("show", "whole-life")
    assert (missed.exit_code, "No dataset is called" in missed.stderr) == (1, True)


def test_a_name_that_is_taken_is_told_before_anything_is_sent(run, photos):
    assert run("upload", photos, "--name", "taken").exit_code == 0
    refused = run("upload", photos, "--name", "taken")
    assert refused.exit_code == 1
    assert "--add" in refused.stderr
    assert "Sending" not in refused.stdout
    assert "catalogue" not in refused.stderr
    assert run("upload", photos, "--name", "mnist").exit_code == 1


@pytest.mark.parametrize(
    ("given", "part"),
    [
        (["upload", "nowhere"], "does not exist"),
        (["upload", ".", "--split", "0.8/0.2"], "Expected --split"),
        (["upload", ".", "--split", "a/b/c"], "Expected --split"),
        (["upload", ".", "--split", "-1/1/1"], "Expected --split"),
    ],
)
def test_wrong_usage_is_told(run, given, part):
    result = run(*given)
    assert result.exit_code == 2
    assert part in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("Ants & Bees", "ants-bees"),
        ("set.tar.gz", "set"),
        ("SET_1.ZIP", "set_1"),
        ("-x-", "x"),
        ("a" * 80, "a" * 63),
    ],
)
def test_a_name_is_made_of_the_folders(path, name):
    assert name_from(Path(path)) == name
