"""`trainyard networks`, against a real yard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.trainyard.yard_process import YardProcess
from trainyard.cli import app, words

EXAMPLE = Path(__file__).parents[3] / "examples" / "own-network.json"


@pytest.fixture
def show(yard: YardProcess, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`trainyard networks show` with these words."""
    monkeypatch.setenv("TRAINYARD_HOME", str(yard.home))
    return lambda *given: CliRunner().invoke(app, ["networks", "show", *map(str, given)])


def _json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_network_is_shown_for_the_images_that_are_named(show):
    told = _json(show("resnet34", "--input", "64x96x1", "--classes", 5, "--set", "width=0.5", "--json"))
    assert told["input_shape"] == [64, 96, 1]
    assert told["classes"] == 5
    assert told["title"] == "ResNet-34"
    full = _json(show("resnet34", "--input", "64x96x1", "--classes", 5, "--json"))
    assert told["totals"]["parameters"] < full["totals"]["parameters"] / 3


def test_the_table_has_every_layer_and_the_totals(show):
    result = show("lenet5")
    assert result.exit_code == 0, result.output
    assert "61,706" in result.stdout
    row = next(line for line in result.stdout.splitlines() if line.startswith("c3 "))
    assert row.split() == ["c3", "Conv2D", "10×10×16", "2.4k", "6.4k", "240.0k", "14", "/2"]


def test_the_table_fits_80_columns(show, monkeypatch: pytest.MonkeyPatch):
    from rich.console import Console

    from trainyard.cli import output

    monkeypatch.setattr(output, "console", lambda: Console(width=80, highlight=False, emoji=False, markup=False))
    for name in ("googlenet", "mobilenet_v2", "se_resnet50"):
        result = show(name)
        assert result.exit_code == 0, result.output
        rows = [line.rstrip() for line in result.stdout.splitlines()]
        assert max(map(len, rows)) <= 80
        assert any(line.endswith("SEES") for line in rows)
        logits = next(line for line in rows if line.startswith("logits "))
        assert logits.endswith("all")


def test_a_file_with_layers_or_with_a_whole_spec_is_shown_and_drawn(show, tmp_path: Path):
    drawing = tmp_path / "own.svg"
    whole = _json(show(EXAMPLE, "--json", "--svg", drawing))
    assert whole["input_shape"] == [28, 28, 1]
    assert drawing.read_text().startswith("<svg")
    layers = tmp_path / "layers.json"
    layers.write_text(json.dumps({"layers": json.loads(EXAMPLE.read_text())["network"]["layers"]}))
    part = _json(show(layers, "--input", "28x28x1", "--classes", 10, "--json"))
    assert part["totals"] == whole["totals"]
    assert _json(show(EXAMPLE, "--input", "32x32x3", "--classes", 10, "--json"))["input_shape"] == [32, 32, 3]


@pytest.mark.parametrize(
    ("given", "status", "part"),
    [
        (["lenet"], 1, "Did you mean lenet5"),
        (["lenet5", "--input", "2x2x1"], 1, "at least 12 x 12 px"),
        (["lenet5", "--set", "dropuot=0.5"], 1, "Did you mean dropout"),
        (["lenet5", "--input", "big"], 2, "Expected --input"),
        (["nowhere.json"], 2, "cannot be read"),
        ([EXAMPLE, "--input", "28x28x1", "--classes", "7"], 1, "network.layers.13.units"),
    ],
)
def test_a_mistake_is_told_with_what_to_do(show, given, status, part):
    result = show(*given)
    assert result.exit_code == status
    assert part in result.stderr


def test_counts_are_short():
    assert [words.count(n) for n in (0, None, 850, 999, 1000, 61_706, 999_949, 25_557_032, 3_858_000_000)] == [
        "", "", "850", "999", "1.0k", "61.7k", "999.9k", "25.6M", "3.9G",
    ]  # fmt: skip


def test_a_long_name_keeps_its_beginning_and_its_end():
    assert words.middle_cut("i3a_5x5_reduce_activation", 16) == "i3a_5x5_re…ation"
    assert words.middle_cut("c1", 16) == "c1"


def test_pretrained_weights_are_listed_and_shown(yard: YardProcess, show, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TRAINYARD_HOME", str(yard.home))
    plain = CliRunner().invoke(app, ["networks", "list"])
    assert plain.exit_code == 0, plain.output
    assert plain.stdout == CliRunner().invoke(app, ["networks"]).stdout
    by_name = {line.split()[0]: line for line in plain.stdout.splitlines()}
    assert " 3  Simonyan" in by_name["vgg16"]
    found = {network["name"]: network for network in _json(CliRunner().invoke(app, ["networks", "list", "--json"]))}
    assert [weights["name"] for weights in found["efficientnet_lite0"]["weights"]] == ["efficientnet_lite0_imagenet"]
    assert found["lenet5"]["weights"] == []
    assert "resnet50_imagenet_notop" in show("resnet50").stdout
    assert "Pretrained" not in show("lenet5").stdout
