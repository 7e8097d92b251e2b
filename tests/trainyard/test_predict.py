"""Asking a trained model from Python and from the command line, of a real yard with a real predictor."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from records.blobs import FolderBlobs
from records.clock import utc_now
from records.database import Database
from records.settings import Settings
from tests.api.pages.filling import png
from tests.models import add_trained_job
from tests.trainyard.yard_process import YardProcess
from trainyard import predicting
from trainyard.cli import app
from trainyard.client import Client
from trainyard.errors import Conflict, InvalidRequest, NotFound


@pytest.fixture(scope="module")
def trained(yard: YardProcess, model_files: Path) -> int:
    """A job that has trained."""
    settings = Settings(home=yard.home)
    database = Database(settings.database_address)
    try:
        blobs = FolderBlobs(settings.blob_folder)
        return add_trained_job(database, blobs, model_files, owner_id=1, at=utc_now())
    finally:
        database.close()


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    """Three images, of which the second is none."""
    contents = {"a.png": png(28, 28), "bad.png": b"no image", "c.png": png(60, 40)}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return [tmp_path / name for name in contents]


@pytest.fixture
def predict(yard: YardProcess, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Call `trainyard predict` with these words."""
    monkeypatch.setenv("TRAINYARD_HOME", str(yard.home))
    return lambda *words: CliRunner().invoke(app, ["predict", *(str(word) for word in words)])


# ── from Python ──────────────────────────────────────────────────────────────────────────────────────────────


def test_images_are_told_in_their_order(client: Client, trained: int, images: list[Path]) -> None:
    first, bad, last = client.predict(trained, images, top=10)
    assert [first.name, bad.name, last.name] == ["a.png", "bad.png", "c.png"]
    likely = [one.probability for one in first.classes]
    assert likely == sorted(likely, reverse=True)
    assert sum(likely) == pytest.approx(1.0, abs=1e-4)
    assert bad.problem is not None
    assert (bad.problem.code, bad.classes) == ("unreadable", ())
    assert last.classes


def test_many_images_go_in_several_requests(
    client: Client, trained: int, images: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = client.predict(trained, images)
    for limit, value in (("MOST_IMAGES", 1), ("MOST_BYTES", 100)):
        with monkeypatch.context() as patch:
            patch.setattr(predicting, limit, value)
            apart = client.predict(trained, map(str, images))
        assert [[c.name for c in one.classes] for one in apart] == [[c.name for c in one.classes] for one in whole]
        assert [one.problem is None for one in apart] == [True, False, True]
    assert client.predict(trained, []) == ()


def test_an_answer_that_is_not_there_at_once_is_waited_for(
    client: Client, trained: int, images: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predicting, "_WAIT_S", 0.0)
    monkeypatch.setattr(predicting, "_PAUSE_S", 0.01)
    assert [one.name for one in client.predict(trained, images[:1])] == ["a.png"]
    with pytest.raises(TimeoutError, match="after 0 s"):
        client.predict(trained, images[:1], timeout_s=0.0)


def test_refusals_are_errors(client: Client, trained: int, images: list[Path]) -> None:
    with pytest.raises(NotFound):
        client.predict(4711, images)
    with pytest.raises(Conflict, match=r"no last\.weights\.h5"):
        client.predict(trained, images, weights="last")
    with pytest.raises(InvalidRequest):
        client.predict(trained, images, top=0)
    noop = client.submit({"kind": "noop"})
    with pytest.raises(Conflict, match="predicts nothing"):
        client.predict(noop.id, images)


# ── from the command line ────────────────────────────────────────────────────────────────────────────────────


def test_a_table_tells_the_likeliest_classes_and_what_could_not_be_read(
    predict: Callable[..., Result], trained: int, images: list[Path]
) -> None:
    result = predict(trained, *images, "--top", 2)
    assert result.exit_code == 1, "one image could not be read"
    head, *rows = result.stdout.splitlines()
    assert head.split() == ["IMAGE", "CLASS"]
    assert [row.split()[0] for row in rows] == ["a.png", "c.png"]
    assert all(row.count("%") == 2 for row in rows)
    assert f"{images[1]}: Expected a JPEG" in result.stderr
    assert predict(trained, images[0]).exit_code == 0


def test_json_and_csv_are_for_programs(predict: Callable[..., Result], trained: int, images: list[Path]) -> None:
    told = json.loads(predict(trained, *images, "--json").stdout)["images"]
    assert [one["path"] for one in told] == [str(path) for path in images]
    rows = list(csv.DictReader(io.StringIO(predict(trained, *images, "--csv").stdout)))
    assert [row["rank"] for row in rows] == ["1", "2", "3", "", "1", "2", "3"]
    assert rows[0]["class"] == told[0]["classes"][0]["name"]
    assert float(rows[0]["probability"]) == told[0]["classes"][0]["probability"]
    assert rows[3]["image"] == str(images[1])
    assert rows[3]["problem"].startswith("Expected a JPEG")


def test_a_dataset_makes_a_job_whose_fields_the_yard_checks(predict: Callable[..., Result], trained: int) -> None:
    refused = predict(trained, "--dataset", "mnist", "--split", "val")
    assert refused.exit_code == 1
    assert "split: mnist has no split 'val' of its own" in refused.stderr
    assert "run.job: There is no job 4711" in predict(4711, "--dataset", "mnist").stderr


@pytest.mark.parametrize("words", [[], ["--dataset", "mnist", "a.png"], ["absent.png"], ["."]])
def test_wrong_usage_is_told_before_anything_is_sent(predict: Callable[..., Result], words: list[str]) -> None:
    assert predict(1, *words).exit_code == 2
