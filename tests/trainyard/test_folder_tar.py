"""A folder as a tar that is made on the way: whole, the same every time, from any place on."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainyard.errors import SourceChanged
from trainyard.folder_tar import FileSource, FolderTar
from trainyard.own_datasets import read_source

LONG = "a folder with a rather long name " * 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files of many sizes, with names that a tar must take care of."""
    root = tmp_path_factory.mktemp("source") / "Ants & Bees"
    for name, size in {
        "ants/1.jpg": 5, "ants/2.jpg": 0, "bees/512.jpg": 512, "bees/513.jpg": 513, "bees/größe-蜜蜂.jpg": 1000,
        f"{LONG}/{'x' * 90}.jpg": 70_000,
    }.items():  # fmt: skip
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(n % 251 for n in range(size)))
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("not an image")
    (root / "ants" / ".DS_Store").write_text("not an image")
    (root / "linked.jpg").symlink_to(root / "ants" / "1.jpg")
    (root / "loop").symlink_to(root)
    return root


def whole(tar):
    return tar.read(0, tar.size_bytes)


def test_every_file_is_in_it_but_hidden_ones_and_links_to_folders(folder):
    with tarfile.open(fileobj=io.BytesIO(whole(FolderTar(folder)))) as archive:
        members = {member.name: member for member in archive}
        content = {name: archive.extractfile(member).read() for name, member in members.items()}
    assert set(content) == {
        path.relative_to(folder).as_posix()
        for path in [*folder.glob("[ab]*/*.jpg"), *folder.glob("*.jpg")]
    }  # fmt: skip
    for name, data in content.items():
        assert data == (folder / name).read_bytes()
        assert (members[name].uid, members[name].mtime, members[name].mode) == (0, 0, 0o644)


def test_the_same_folder_gives_the_same_bytes(folder):
    assert whole(FolderTar(folder)) == whole(FolderTar(folder))
    assert len(whole(FolderTar(folder))) == FolderTar(folder).size_bytes


@given(st.data())
@settings(max_examples=60)
def test_any_part_of_it_can_be_read_alone(folder, data):
    tar = FolderTar(folder)
    expected = whole(tar)
    offset = data.draw(st.integers(0, tar.size_bytes))
    size = data.draw(st.integers(0, 3000))
    assert tar.read(offset, size) == expected[offset : offset + size]


def test_a_file_that_became_shorter_or_went_away_is_told(folder, tmp_path):
    for change in ("shorter", "gone"):
        path = tmp_path / change / "a.jpg"
        path.parent.mkdir()
        path.write_bytes(b"x" * 1000)
        tar, file = FolderTar(path.parent), FileSource(path)
        path.write_bytes(b"x" * 10) if change == "shorter" else path.unlink()
        for source in (tar, file):
            with pytest.raises(SourceChanged, match=r"a\.jpg"):
                source.read(0, source.size_bytes)


def test_an_archive_is_sent_as_it_is_and_an_empty_folder_not_at_all(tmp_path):
    (tmp_path / "set.zip").write_bytes(b"PK...")
    source = read_source(tmp_path / "set.zip")
    assert (source.name, source.size_bytes, source.read(2, 100)) == ("set.zip", 5, b"...")
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "absent"):
        with pytest.raises(SourceChanged):
            read_source(path)
