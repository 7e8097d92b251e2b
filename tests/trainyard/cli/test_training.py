"""The commands that send a finetuning or a training."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from tests.trainyard.yard_process import YardProcess
from trainyard.cli import app
from trainyard.cli.training import read_base


@pytest.fixture
def trainyard(yard: YardProcess, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Call the command line with these words, for the shared yard."""
    monkeypatch.setenv("TRAINYARD_HOME", str(yard.home))
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("efficientnet_lite0", {"pretrained": "efficientnet_lite0"}),
        ("12", {"job": 12}),
        ("12:last", {"job": 12, "weights": "last"}),
    ],
)
def test_a_base_is_a_job_where_it_is_a_number(text: str, base: dict[str, object]) -> None:
    assert read_base(text) == base


def test_a_finetuning_that_the_yard_refuses_is_told_by_field(trainyard: Callable[..., Result]) -> None:
    result = trainyard("finetune", "--dataset", "mnist", "--json")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "Expected a base for images of 1 channels" in result.stderr
    result = trainyard("finetune", "--dataset", "mnist", "--base", "77", "--set", "epochs=0")
    assert "There is no job 77" in result.stderr


def test_a_training_is_sent_with_what_was_set_and_printed_as_json(trainyard: Callable[..., Result]) -> None:
    words = ["--dataset", "mnist", "--network", "lenet5", "--set", "epochs=1", "--set", "train_examples=50"]
    result = trainyard("train", *words, "--json")
    assert result.exit_code == 0, result.output
    job = json.loads(result.stdout)
    assert (job["kind"], job["spec"]["epochs"], job["spec"]["network"]["name"]) == ("train", 1, "lenet5")
    assert trainyard("cancel", job["id"]).exit_code == 0


def test_a_segmentation_of_images_without_masks_is_refused_by_field(trainyard: Callable[..., Result]) -> None:
    result = trainyard("segment", "--dataset", "mnist", "--base", "77", "--set", "crop_size=64", "--json")
    assert result.exit_code == 1
    assert "Upload images and masks with --task segmentation" in result.stderr
