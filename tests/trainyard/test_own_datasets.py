"""Datasets of one's own from Python, against a real yard: sent over a bad line, checked, looked into, deleted."""

from __future__ import annotations

import hashlib
import random

import pytest

from tests.pictures import folder_a_class, pack, picture
from tests.trainyard.cutting_proxy import bad_line
from trainyard import Client, uploading
from trainyard.errors import Conflict, DamagedUpload, NotFound
from trainyard.folder_tar import FileSource
from trainyard.uploading import upload

WAIT_S = 120.0


@pytest.fixture
def make_folder(tmp_path):
    """`make_folder(files)`: a folder with these files."""

    def make(files, name="photos"):
        for path, content in files.items():
            target = tmp_path / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return tmp_path / name

    return make


def last(versions):
    for version in versions:
        found = version
    return found


def random_file(tmp_path, size, seed=0):
    path = tmp_path / "big.bin"
    path.write_bytes(random.Random(seed).randbytes(size))
    return path


# ── sending ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_folder_is_sent_checked_and_looked_into(client: Client, make_folder, tmp_path):
    folder = make_folder(folder_a_class())
    told = []
    begun = client.upload_dataset(folder, "sent-checked", tell=lambda done, of: told.append((done, of)))
    assert begun.ref == "admin/sent-checked@1"
    version = last(client.watch_dataset(begun.ref))
    assert (version.status, version.images, version.classes) == ("ready", 12, ("ants", "bees"))
    assert told[0][0] == 0
    assert told[-1][0] == told[-1][1]
    report = client.dataset_report("sent-checked")
    assert (report.new_images, [one.name for one in report.classes]) == (12, ["ants", "bees"])
    for class_name in (None, "bees"):
        path = client.save_dataset_sheet("sent-checked", tmp_path / "sheet.png", class_name=class_name)
        assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(NotFound, match="has no class 'wasps'"):
        client.save_dataset_sheet("sent-checked@1", tmp_path / "x.png", class_name="wasps")
    assert client.dataset("sent-checked").version == 1
    assert "sent-checked" in [found.name for found in client.datasets(mine=True)]


def test_images_are_added_and_replaced(client: Client, make_folder):
    first = client.upload_dataset(make_folder(folder_a_class()), "grown")
    last(client.watch_dataset(first.ref))
    with pytest.raises(Conflict, match="already"):
        client.upload_dataset(make_folder(folder_a_class()), "grown")
    more = make_folder(folder_a_class(seed=700), "more")
    second = last(client.watch_dataset(client.upload_dataset(more, "grown", add=True).ref))
    third = last(client.watch_dataset(client.upload_dataset(more, "grown", replace=True).ref))
    assert [(v.number, v.parent, v.images) for v in (second, third)] == [(2, 1, 24), (3, None, 12)]
    assert [v.number for v in client.dataset_versions("grown")] == [3, 2, 1]
    client.delete_dataset("grown@2")
    assert client.dataset_version("admin/grown@3").status == "ready"
    client.delete_dataset("grown")
    with pytest.raises(NotFound):
        client.dataset("grown")


def test_a_refused_set_tells_why_and_goes_on_from_the_same_upload(client: Client, tmp_path):
    (tmp_path / "bad.zip").write_bytes(pack({**folder_a_class(), "bees/broken.jpg": picture(3)[:200]}))
    refused = last(client.watch_dataset(client.upload_dataset(tmp_path / "bad.zip", "mended").ref))
    assert (refused.status, refused.reason.code) == ("refused", "bad_files")
    assert [problem.name for problem in client.dataset_report(refused.ref).problems] == ["bees/broken.jpg"]
    again = client.make_dataset("mended", upload=refused.upload, skip_bad=True)
    assert last(client.watch_dataset(again.ref)).status == "ready"


# ── over a bad line ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def quick(monkeypatch):
    """Small parts, and no long waits between tries."""
    monkeypatch.setattr(uploading, "PART_BYTES", 1 << 20)
    monkeypatch.setattr(uploading, "_FIRST_PAUSE_S", 0.01)


def test_an_upload_goes_on_where_its_connection_broke(client: Client, yard, tmp_path, quick):
    path = random_file(tmp_path, 6_000_000)
    token = (yard.home / "admin.token").read_text().strip()
    with bad_line(client.url, [300_000, 2_500_000, 700_000]) as line, Client(line.url, token) as over_it:
        offsets = []
        sent = upload(over_it._transport, FileSource(path), tell=lambda done, of: offsets.append(done))
        assert line.cut == 3
    assert sent.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert len(offsets) == len(set(offsets)) or offsets == sorted(offsets)
    assert any(offset % (1 << 20) for offset in offsets[:-1]), "it went on in the middle of a part"


def test_a_later_try_goes_on_with_what_came(client: Client, tmp_path, quick, monkeypatch):
    path = random_file(tmp_path, 3_000_000, seed=1)

    class Enough(Exception):
        pass

    def stop(done, of):
        if done > 1_000_000:
            raise Enough

    with pytest.raises(Enough):
        upload(client._transport, FileSource(path), tell=stop)
    offsets = []
    sent = upload(client._transport, FileSource(path), tell=lambda done, of: offsets.append(done))
    assert offsets[0] == 1 << 20
    assert sent.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_came_of_another_file_of_the_same_name_and_size_is_noticed_and_dropped(client: Client, tmp_path, quick):
    class Enough(Exception):
        pass

    def stop(done, of):
        if done:
            raise Enough

    with pytest.raises(Enough):
        upload(client._transport, FileSource(random_file(tmp_path, 1_500_000, seed=2)), tell=stop)
    path = random_file(tmp_path, 1_500_000, seed=3)
    with pytest.raises(DamagedUpload):
        upload(client._transport, FileSource(path))
    assert upload(client._transport, FileSource(path)).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
