"""The command that lets runs vote."""

from __future__ import annotations

from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from trainyard.cli import app
from trainyard.cli.evaluate import read_run


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Specs that would have been sent; what the yard makes of them is tested with the kind itself."""
    specs: list[dict[str, Any]] = []
    monkeypatch.setattr("trainyard.cli.evaluate.send", lambda context, spec, **_: specs.append(spec))
    return specs


def _call(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize(
    ("text", "run"),
    [("12", {"job": 12}), ("12:last", {"job": 12, "weights": "last"}), ("12:other", {"job": 12, "weights": "other"})],
)
def test_a_run_is_a_job_and_perhaps_its_weights(text: str, run: dict[str, object]) -> None:
    assert read_run(text) == run


@pytest.mark.parametrize("text", ["", "twelve", "-1", "1.5", ":last"])
def test_what_names_no_job_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="number of a job"):
        read_run(text)


def test_jobs_are_sent_as_runs_of_one_vote(sent: list[dict[str, Any]]) -> None:
    assert _call("evaluate", 12, "13:last", 14).exit_code == 0
    assert sent == [
        {"kind": "evaluate", "runs": [{"job": 12}, {"job": 13, "weights": "last"}, {"job": 14}], "split": "test"}
    ]


def test_options_go_into_the_spec(sent: list[dict[str, Any]]) -> None:
    words = ["--split", "val", "--dataset", "mnist", "--vote-weights", "1,2.5", "--views", 9]
    words += ["--set", "test_time_augmentation.augmentation.shift=0.1"]
    assert _call("evaluate", 12, 13, *words).exit_code == 0
    (spec,) = sent
    assert (spec["split"], spec["dataset"], spec["vote_weights"]) == ("val", "mnist", [1.0, 2.5])
    assert spec["test_time_augmentation"] == {"count": 9, "augmentation": {"shift": 0.1}}


@pytest.mark.parametrize("words", [[], ["12", "--vote-weights", "a,b"], ["12", "--views", "-1"]])
def test_what_is_no_command_is_refused(sent: list[dict[str, Any]], words: list[str]) -> None:
    assert _call("evaluate", *words).exit_code == 2
    assert sent == []
