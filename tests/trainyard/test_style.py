"""Sending pictures and a style transfer from the command line, to a real yard."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.api.pages.filling import png
from tests.trainyard.yard_process import YardProcess
from trainyard.cli import app
from trainyard.client import Client
from trainyard.errors import InvalidRequest


@pytest.fixture
def style(yard: YardProcess, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Call `trainyard style` with these words."""
    monkeypatch.setenv("TRAINYARD_HOME", str(yard.home))
    return lambda *words: CliRunner().invoke(app, ["style", *(str(word) for word in words)])


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """A content and two styles."""
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(png(30 + number, 20))
    return [tmp_path / f"{number}.png" for number in range(3)]


def test_pictures_are_sent_and_named_in_the_spec(style: Callable[..., Result], client: Client, pictures: list[Path]):
    words = ["--set", "size=64", "--set", "features=squeezenet", "--weight", "2", "--weight", "1", "--json"]
    said = style(*pictures, *words)
    assert said.exit_code == 0, said.output
    job = json.loads(said.stdout)
    client.cancel(job["id"])
    spec = job["spec"]
    assert (spec["kind"], spec["size"], spec["features"]) == ("style_transfer", 64, "squeezenet")
    assert [one["weight"] for one in spec["styles"]] == [2.0, 1.0]
    assert len({spec["content"], *(one["picture"] for one in spec["styles"])}) == 3


def test_weights_and_masks_go_with_the_styles(style: Callable[..., Result], pictures: list[Path]):
    said = style(*pictures, "--weight", "2")
    assert said.exit_code == 2
    assert "once for each of the 2 styles, got 1" in " ".join(said.output.split())


def test_a_file_that_is_no_picture_is_named(client: Client, tmp_path: Path):
    (tmp_path / "words.png").write_text("no picture")
    with pytest.raises(InvalidRequest, match=r"words\.png: Expected a JPEG"):
        client.upload_picture(tmp_path / "words.png")
