"""From an archive or a folder to content in a spool of ours, and a word on everything that is not taken."""

from __future__ import annotations

import os
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.intake.gathering import Gathered, gather
from ml.intake.problems import Problems
from ml.intake.refusals import SetRefused
from ml.intake.spool import Spool
from records.intake import IntakeLimits
from tests.ml.intake.making import jpeg, png, write_folder, write_tar, write_zip


def gathered(source, spool, **limits):
    """What was gathered, the problems by name, and what was told."""
    found, problems, told = Gathered(), Problems(), []
    gather(
        source,
        spool,
        IntakeLimits(**limits),
        gathered=found,
        problems=problems,
        tell=lambda done, of: told.append((done, of)),
    )
    return found, {problem.name: problem.code for problem in problems.listed()}, told


GOOD = {"ants/1.png": png(1), "bees/1.jpg": jpeg(2), "labels.csv": b"file,label\n"}


@pytest.mark.parametrize("make", [write_zip, write_tar, write_folder])
def test_files_are_kept_in_the_order_of_their_names(tmp_path, spool, make):
    found, problems, _ = gathered(make(tmp_path / "a", dict(reversed(GOOD.items()))), spool)
    assert [file.name for file in found.files] == sorted(GOOD)
    assert {file.name: file.content.read() for file in found.files} == GOOD
    assert problems == {}


def test_junk_and_companions_are_ignored_and_counted(tmp_path, spool):
    junk = {
        "__MACOSX/ants/._1.png": b"resource fork",
        "ants/.DS_Store": b"x",
        "ants/Thumbs.db": b"x",
        "desktop.ini": b"x",
        ".git/objects/12": b"x",
        "README.md": b"x",
        "LICENSE": b"x",
        "annotations.json": b"{}",
    }
    found, problems, _ = gathered(write_zip(tmp_path / "a.zip", {**GOOD, **junk}), spool)
    assert found.ignored == len(junk)
    assert set(found.ignored_names) == set(junk)
    assert problems == {}
    assert len(found.files) == len(GOOD)


def test_a_picture_without_an_extension_is_found_by_its_content(tmp_path, spool):
    found, problems, _ = gathered(write_zip(tmp_path / "a.zip", {"ants/README": png(1), "ants/2.txt": jpeg(2)}), spool)
    assert [file.is_image for file in found.files] == [True, True]
    assert problems == {}


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("ants/film.mp4", b"\0\0\0\x20ftypisom", "not_an_image"),
        ("ants/unknown", b"?", "not_an_image"),
        ("ants/more.zip", b"PK\3\4", "nested_archive"),
        ("ants/more.tar.gz", b"?", "nested_archive"),
        ("ants/hidden.png", b"PK\3\4 an archive under a picture's name", "nested_archive"),
        ("ants/hidden.jpg", b"\x1f\x8b\x08", "nested_archive"),
        ("ants/empty.png", b"", "empty_file"),
        ("ants/big.png", b"\x89PNG" + bytes(2000), "file_too_large"),
        ("../outside.png", png(1), "unsafe_name"),
        ("/etc/cron.d/job.png", png(1), "unsafe_name"),
        ("ants/a\x07b.png", png(1), "bad_name"),
    ],
)
@pytest.mark.parametrize("make", [write_zip, write_tar])
def test_what_cannot_be_taken_is_named_and_not_kept(tmp_path, spool, make, name, content, code):
    found, problems, _ = gathered(
        make(tmp_path / "a", {name: content, "good.txt": b"x"}), spool, largest_file_bytes=1000
    )
    assert list(problems.values()) == [code]
    assert [(file.name, file.content.read()) for file in found.files] == [("good.txt", b"x")]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_the_second_of_two_same_names_is_a_problem(tmp_path, spool):
    path = write_tar(tmp_path / "a", {"ants/1.png": png(1), "ants//1.png": png(2), "ants\\1.png": png(3)})
    found, problems, _ = gathered(path, spool)
    assert problems == {"ants/1.png": "duplicate_name"}
    assert [file.content.read() for file in found.files] == [png(1)]


def test_names_that_are_the_same_to_unicode_are_the_same(tmp_path, spool):
    path = write_tar(tmp_path / "a", {"\u00e4.png": png(1), "a\u0308.png": png(2)})
    _, problems, _ = gathered(path, spool)
    assert problems == {"ä.png": "duplicate_name"}


def test_odd_names_are_taken_and_reported(tmp_path, spool):
    found, problems, _ = gathered(write_tar(tmp_path / "a", {"a\u0308/1.png": png(1)}), spool)
    assert [file.name for file in found.files] == ["ä/1.png"]
    assert problems == {"ä/1.png": "odd_name"}


def test_a_name_that_is_no_text_costs_one_entry(tmp_path, spool):
    with tarfile.open(tmp_path / "a", "w", encoding="latin-1", format=tarfile.USTAR_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("\xff.png"))
        archive.addfile(tarfile.TarInfo("good.txt"))
    _, problems, _ = gathered(tmp_path / "a", spool)
    assert problems == {"\\xff.png": "bad_name", "good.txt": "empty_file"}


def test_too_many_entries_are_refused(tmp_path, spool):
    files = {f"{number}.txt": b"x" for number in range(11)}
    for make in (write_zip, write_tar, write_folder):
        with pytest.raises(SetRefused) as caught:
            gathered(make(tmp_path / make.__name__, files), spool, most_entries=10)
        assert caught.value.code == "too_many_entries"


def test_what_was_found_before_a_refusal_is_kept(tmp_path, spool):
    found = Gathered()
    path = write_tar(tmp_path / "a", {f"{n}.txt": bytes(1000) for n in range(9)})
    with pytest.raises(SetRefused, match="larger than"):
        gather(
            path,
            spool,
            IntakeLimits(most_bytes=5000),
            gathered=found,
            problems=Problems(),
            tell=lambda done, of: None,
        )
    assert found.entries == len(found.files) > 0


@pytest.mark.parametrize("make", [write_zip, write_tar, write_folder])
def test_how_far_it_is_ends_at_the_end(tmp_path, spool, make):
    _, _, told = gathered(make(tmp_path / "a", GOOD), spool)
    done, of = told[-1]
    assert done == of > 0


# ── folders ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_links_and_pipes_in_a_folder_are_named_never_followed(tmp_path, spool):
    folder = write_folder(tmp_path / "set", {"ants/1.png": png(1)})
    (tmp_path / "secret.png").write_bytes(png(9))
    (folder / "ants" / "2.png").symlink_to(tmp_path / "secret.png")
    (folder / "bees").symlink_to(tmp_path)
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "ants" / "pipe.png")
    found, problems, _ = gathered(folder, spool)
    assert problems == {"ants/2.png": "link", "bees": "link", "loop": "link", "ants/pipe.png": "special_file"}
    assert [file.name for file in found.files] == ["ants/1.png"]


def test_a_folder_name_that_is_no_text_costs_what_lies_in_it(tmp_path, spool):
    folder = write_folder(tmp_path / "set", {"ants/1.png": png(1)})
    os.mkdir(os.fsencode(folder) + b"/\xff")
    (folder / os.fsdecode(b"\xff") / "1.png").write_bytes(png(2))
    found, problems, _ = gathered(folder, spool)
    assert problems == {"\\xff/1.png": "bad_name"}
    assert len(found.files) == 1


def test_a_folder_has_a_limit_of_bytes_too(tmp_path, spool):
    with pytest.raises(SetRefused, match="larger than"):
        gathered(write_folder(tmp_path / "set", {"a.txt": bytes(1001)}), spool, most_bytes=1000)


# ── nothing is ever written under a name from outside ────────────────────────────────────────────────────────


NAMES = st.lists(
    st.sampled_from(["..", ".", "", "ants", "/", "\\", "C:", "work", "0000000", "\0", "~", "*", "\u202e", "e\u0301"]),
    min_size=1,
    max_size=6,
).map("/".join)


@given(st.dictionaries(NAMES, st.sampled_from([png(1), b"text"]), min_size=1, max_size=8))
def test_whatever_the_names_are_no_file_is_written(tmp_path_factory, files):
    root = tmp_path_factory.mktemp("names")
    path = write_tar(root / "a", files)
    with Spool(root) as spool:
        gathered(path, spool)
        assert list(root.rglob("*")) == [path]
    assert list(root.rglob("*")) == [path]
