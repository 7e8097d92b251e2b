"""A spec from a file and settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from trainyard.cli.spec_options import read_spec


def test_dots_go_into_objects_and_values_are_json_or_text() -> None:
    sets = ["dataset=mnist", "network.name=lenet5", "network.options.dropout=0.5", "epochs=3", "class_weights=[1, 2]"]
    assert read_spec(None, kind="train", sets=sets) == {
        "kind": "train",
        "dataset": "mnist",
        "network": {"name": "lenet5", "options": {"dropout": 0.5}},
        "epochs": 3,
        "class_weights": [1, 2],
    }


def test_settings_win_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "spec.json"
    file.write_text(json.dumps({"kind": "train", "epochs": 9, "network": {"name": "dense"}}))
    spec = read_spec(file, kind="", sets=["epochs=1", "network.name=lenet5"])
    assert spec == {"kind": "train", "epochs": 1, "network": {"name": "lenet5"}}


def test_a_value_may_hold_an_equals_sign_or_be_empty() -> None:
    assert read_spec(None, kind="", sets=["name=a=b", "text="]) == {"name": "a=b", "text": ""}


@pytest.mark.parametrize("setting", ["epochs", "=3", "a..b=1", ".a=1"])
def test_a_setting_without_key_or_value_is_wrong_usage(setting: str) -> None:
    with pytest.raises(typer.BadParameter, match="key=value"):
        read_spec(None, kind="", sets=[setting])


def test_a_value_cannot_become_an_object() -> None:
    with pytest.raises(typer.BadParameter, match="not an object"):
        read_spec(None, kind="", sets=["network=1", "network.name=lenet5"])


@pytest.mark.parametrize("text", ["{", "[1]", '"x"'])
def test_a_file_without_a_json_object_is_wrong_usage(tmp_path: Path, text: str) -> None:
    file = tmp_path / "spec.json"
    file.write_text(text)
    with pytest.raises(typer.BadParameter, match=r"spec\.json"):
        read_spec(file, kind="", sets=[])
