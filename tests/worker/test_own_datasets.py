"""People's own datasets on a worker: unpacked once, verified, kept while used, dropped when room is short."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import zipfile
from contextlib import ExitStack

import pytest

from records.blobs import FolderBlobs
from records.errors import BlobUnavailable, DatasetUnreadable
from records.image_sets import StoredVersion
from worker.own_datasets import drop_unused, stage_own_dataset


def _never():
    """Nothing asks to stop."""


class Shelf:
    """Stored versions, and a cache to unpack them into."""

    def __init__(self, folder):
        self.folder = folder
        self.blobs = FolderBlobs(folder / "blobs")
        self.cache = folder / "cache"
        self.told = []

    def store(self, files, *, ref="ada/ants@1", manifest=None):
        """A version with these files in two packs."""
        packs, images = {}, []
        for place, (name, content) in enumerate(files.items()):
            packs.setdefault(f"p1-{place % 2}.zip", {})[name] = content
            images.append({"pack": f"p1-{place % 2}.zip", "file": name, "mask": None, "split": "train"})
        head = {"form": 1, "task": "classification", "classes": ["a"], "channels": 3}
        lines = ",\n".join(json.dumps(image) for image in images)
        text = manifest or json.dumps(head)[:-1] + f',"images":[\n{lines}\n]}}\n'
        addresses = {name: self._pack(content) for name, content in packs.items()}
        return StoredVersion(ref, self._put(text.encode()), addresses)

    def stage(self, version, held=None, check=_never):
        """Stage it; without `held`, for a moment only."""
        with ExitStack() as shortly:
            return stage_own_dataset(
                version, self.cache, self.blobs, held=held or shortly, tell=self.told.append, check=check
            )

    def staged(self):
        """The hashes of what is unpacked."""
        return sorted(path.name for path in (self.cache / "datasets").iterdir() if path.is_dir())

    def _pack(self, files):
        path = self.folder / "packed.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return self.blobs.put_file(path).sha256

    def _put(self, content):
        path = self.folder / "content"
        path.write_bytes(content)
        return self.blobs.put_file(path).sha256


@pytest.fixture
def shelf(tmp_path):
    """An empty shelf."""
    return Shelf(tmp_path)


def test_packs_become_a_folder_of_images_beside_the_manifest(shelf):
    version = shelf.store({"p1-0.jpg": b"one", "p1-1.jpg": b"two", "p1-2.jpg": b"three"})
    folder = shelf.stage(version)
    assert folder.name == version.sha256 == hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    assert {path.name: path.read_bytes() for path in (folder / "images").iterdir()} == {
        "p1-0.jpg": b"one", "p1-1.jpg": b"two", "p1-2.jpg": b"three",
    }  # fmt: skip
    assert not os.access(folder / "images" / "p1-0.jpg", os.W_OK) or os.geteuid() == 0
    assert any("2 packs" in line for line in shelf.told)


def test_what_is_unpacked_is_not_unpacked_again(shelf):
    version = shelf.store({"a.jpg": b"one"})
    shelf.stage(version)
    shelf.told.clear()
    for sha256 in version.packs.values():
        shelf.blobs.delete(sha256)
    shelf.stage(version)
    assert shelf.told == []


def test_a_file_that_was_touched_or_lost_is_unpacked_again(shelf):
    version = shelf.store({"a.jpg": b"one", "b.jpg": b"two"})
    folder = shelf.stage(version)
    (folder / "images" / "a.jpg").unlink()
    (folder / "images" / "a.jpg").write_bytes(b"eno")
    assert (shelf.stage(version) / "images" / "a.jpg").read_bytes() == b"one"
    (folder / "images" / "b.jpg").unlink()
    assert (shelf.stage(version) / "images" / "b.jpg").read_bytes() == b"two"


def test_damaged_or_missing_packs_leave_nothing_behind(shelf):
    version = shelf.store({"a.jpg": b"one"})
    (pack,) = version.packs.values()
    shelf.blobs.path(pack).write_bytes(b"damaged")
    with pytest.raises(BlobUnavailable, match="damaged"):
        shelf.stage(version)
    shelf.blobs.delete(pack)
    with pytest.raises(BlobUnavailable):
        shelf.stage(version)
    assert shelf.staged() == []


@pytest.mark.parametrize("name", ["../out.jpg", "/tmp/out.jpg", "a/b.jpg", "..", ""])
def test_a_name_that_leads_out_of_the_folder_is_refused(shelf, name):
    version = shelf.store({name or "empty": b"x"})
    if not name:
        manifest = shelf.blobs.path(version.sha256).read_text().replace('"empty"', '""')
        version = shelf.store({"empty": b"x"}, manifest=manifest)
    with pytest.raises(DatasetUnreadable, match="none of ours"):
        shelf.stage(version)
    assert shelf.staged() == []


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ("{}", "first line"),
        ('{"classes":[],"images":[\n{"pack":"p1-9.zip","file":"a","mask":null}\n]}\n', "a pack that it does not have"),
        ('{"classes":[],"images":[\n{"pack":"p1-0.zip","file":"b.jpg","mask":null}\n]}\n', "cannot be unpacked"),
        ('{"classes":[],"images":[\n{"pack":"p1-0.zip","file":"a.jpg","mask":null}', "breaks off"),
        ('{"classes":[],"images":[\n{"pack":"p1-0.zip"}\n]}\n', "cannot be read"),
        (
            '{"classes":[],"images":[\n{"pack":"p1-0.zip","file":"a.jpg","mask":null},\n'
            '{"pack":"p1-0.zip","file":"a.jpg","mask":null}\n]}\n',
            "cannot be unpacked",
        ),
    ],
)
def test_a_manifest_that_does_not_fit_its_packs_is_told(shelf, manifest, said):
    with pytest.raises(DatasetUnreadable, match=said):
        shelf.stage(shelf.store({"a.jpg": b"one"}, manifest=manifest))
    assert shelf.staged() == []


def test_masks_are_unpacked_too(shelf):
    text = '{"classes":[],"images":[\n{"pack":"p1-0.zip","file":"a.jpg","mask":"a.mask.png"}\n]}\n'
    version = shelf.store({"a.jpg": b"image", "skip": b"", "a.mask.png": b"mask"}, manifest=text)
    assert (shelf.stage(version) / "images" / "a.mask.png").read_bytes() == b"mask"


def test_two_that_want_the_same_unpack_it_once(shelf, in_thread):
    version = shelf.store({"a.jpg": b"one", "b.jpg": b"two"})
    begun, go_on = threading.Event(), threading.Event()

    def slowly():
        begun.set()
        go_on.wait(30)

    first = in_thread(lambda: shelf.stage(version, check=slowly))
    assert begun.wait(30)
    waited = threading.Event()
    second = in_thread(lambda: shelf.stage(version, check=waited.set))
    assert waited.wait(30)
    go_on.set()
    first.join(30)
    second.join(30)
    assert sum("Unpacking" in line for line in shelf.told) == 1
    assert shelf.staged() == [version.sha256]


def test_the_longest_unwanted_are_dropped_first_but_never_one_in_use(shelf):
    versions = [shelf.store({f"{n}.jpg": bytes([n]) * 1000}, ref=f"ada/s{n}@1") for n in range(4)]
    with ExitStack() as held:
        shelf.stage(versions[0], held)
        for version in versions[1:]:
            shelf.stage(version)
        for age, version in enumerate(versions):
            lock = shelf.cache / "datasets" / f"{version.sha256}.lock"
            os.utime(lock, (1_000_000 + age, 1_000_000 + age))
        (shelf.cache / "datasets" / "mnist").mkdir()
        dropped = drop_unused(shelf.cache, most_bytes=2500)
        assert dropped == [versions[1].sha256, versions[2].sha256]
        assert set(shelf.staged()) == {versions[0].sha256, versions[3].sha256, "mnist"}
        assert drop_unused(shelf.cache, most_bytes=0) == [versions[3].sha256]
    assert drop_unused(shelf.cache, most_bytes=0) == [versions[0].sha256]
    assert shelf.staged() == ["mnist"]


def test_a_dropped_set_is_unpacked_anew(shelf):
    version = shelf.store({"a.jpg": b"one"})
    shelf.stage(version)
    drop_unused(shelf.cache, most_bytes=0)
    assert (shelf.stage(version) / "images" / "a.jpg").read_bytes() == b"one"


def test_an_empty_cache_has_nothing_to_drop(shelf):
    assert drop_unused(shelf.cache, most_bytes=0) == []
