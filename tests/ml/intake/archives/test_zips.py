"""Zips: as `zipfile` writes them, and as nobody should."""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
import zlib
from contextlib import closing, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.intake.archives import open_source
from ml.intake.refusals import FileProblem, SetRefused
from records.intake import IntakeLimits
from tests.ml.intake.making import write_zip

FILES = {"a.txt": b"first", "b/c.bin": bytes(100_000), "b/d.bin": os.urandom(300_000), "e": b""}


def read_all(path, limits=None):
    """Name, kind and content of each entry; a `FileProblem` in place of its content."""
    source, _ = open_source(path, limits or IntakeLimits())
    with closing(source):
        return [(entry.name, entry.kind, content_of(entry)) for entry in source.entries()]


def content_of(entry):
    try:
        return b"".join(entry.parts())
    except FileProblem as problem:
        return problem


def contents(path):
    return {name.decode(): content for name, _, content in read_all(path)}


def refusal_of(path, limits=None):
    with pytest.raises(SetRefused) as caught:
        read_all(path, limits)
    return caught.value


def patched(path, at, value):
    """Some bytes of the file replaced."""
    data = bytearray(path.read_bytes())
    data[at : at + len(value)] = value
    path.write_bytes(data)
    return path


def directory_at(path):
    data = path.read_bytes()
    return struct.unpack("<L", data[-6:-2])[0]


# ── good ones ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_every_usual_packing_is_read(tmp_path, method):
    assert contents(write_zip(tmp_path / "a.zip", FILES, method)) == FILES


@given(st.dictionaries(st.text("abc/é", min_size=1, max_size=8).map(lambda n: n.strip("/") or "x"), st.binary()))
def test_what_zipfile_writes_is_what_is_read(tmp_path_factory, files):
    path = write_zip(tmp_path_factory.mktemp("zip") / "a.zip", files)
    if files:
        assert contents(path) == files


def test_a_streamed_zip_with_its_sizes_after_the_content_is_read(tmp_path):
    class OneWay(io.RawIOBase):
        def __init__(self, file):
            self.file = file

        def writable(self):
            return True

        def write(self, data):
            return self.file.write(data)

    with (tmp_path / "a.zip").open("wb") as file, zipfile.ZipFile(OneWay(file), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    assert contents(tmp_path / "a.zip") == FILES


def test_a_zip_with_large_fields_is_read(tmp_path):
    with (
        zipfile.ZipFile(tmp_path / "a.zip", "w") as archive,
        archive.open(zipfile.ZipInfo("a.bin"), "w", force_zip64=True) as file,
    ):
        file.write(b"content")
    assert contents(tmp_path / "a.zip") == {"a.bin": b"content"}


def test_a_zip_of_many_entries_with_large_end_records_is_read(tmp_path):
    names = {f"{number}": b"" for number in range(65_600)}
    assert len(read_all(write_zip(tmp_path / "a.zip", names, zipfile.ZIP_STORED))) == 65_600


def test_a_zip_behind_other_bytes_and_with_a_comment_is_read(tmp_path):
    path = write_zip(tmp_path / "inner.zip", FILES)
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"packed by hand"
    (tmp_path / "a.zip").write_bytes(b"PK\3\4 this is no entry" + path.read_bytes())
    assert contents(tmp_path / "a.zip") == FILES


def test_names_without_a_mark_are_read_as_utf8_first(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"ä.png": b"1"})
    data = bytearray(path.read_bytes())
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = data.find(mark) + at
        data[place : place + 2] = b"\0\0"
    path.write_bytes(data)
    source, _ = open_source(path, IntakeLimits())
    (entry,) = source.entries()
    assert entry.name.decode() == "ä.png"
    assert entry.encodings == ("utf-8", "cp437")
    source.close()


# ── kinds of entries ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        (stat.S_IFREG | 0o644, "file"),
        (0, "file"),
        (stat.S_IFLNK | 0o777, "link"),
        (stat.S_IFIFO | 0o644, "special"),
        (stat.S_IFCHR | 0o644, "special"),
        (stat.S_IFBLK | 0o644, "special"),
        (stat.S_IFSOCK | 0o644, "special"),
        (stat.S_IFDIR | 0o755, "folder"),
    ],
)
def test_links_and_devices_are_known_by_their_mode(tmp_path, mode, kind):
    entry = zipfile.ZipInfo("entry")
    entry.create_system, entry.external_attr = 3, mode << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(entry, b"/etc/passwd")
    assert read_all(tmp_path / "a.zip") == [(b"entry", kind, b"/etc/passwd" if kind == "file" else b"")]


def test_encrypted_entries_are_not_read(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a": b"secret"})
    patched(path, directory_at(path) + 8, b"\1\0")
    assert read_all(path) == [(b"a", "encrypted", b"")]


def test_an_unknown_packing_is_named(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a": b"content"}, zipfile.ZIP_LZMA)
    assert read_all(path) == [(b"a", "packed_unknown", b"")]


# ── damage ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_damaged_content_costs_one_entry(tmp_path, method):
    path = write_zip(tmp_path / "a.zip", {"a": os.urandom(5000), "b": b"whole"}, method)
    patched(path, 1000, b"damage")
    (_, _, damaged), whole = read_all(path)
    assert damaged.code == "entry_broken"
    assert whole == (b"b", "file", b"whole")


def test_a_wrong_checksum_costs_one_entry(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a": b"content", "b": b"whole"}, zipfile.ZIP_STORED)
    patched(path, directory_at(path) + 16, b"\0\0\0\0")
    (_, _, damaged), whole = read_all(path)
    assert "checksum" in damaged.text
    assert whole[2] == b"whole"


def test_a_size_that_lies_costs_one_entry(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a": bytes(1000)})
    patched(path, directory_at(path) + 24, struct.pack("<L", 10))
    ((_, _, damaged),) = read_all(path)
    assert "10 bytes are promised, 1,000 came" in damaged.text


@pytest.mark.parametrize("left", [10, 1000, -30, -1])
def test_a_truncated_zip_is_refused(tmp_path, left):
    path = write_zip(tmp_path / "a.zip", {"a": os.urandom(5000), "b": b"x"})
    path.write_bytes(path.read_bytes()[:left])
    assert refusal_of(path).code == "archive_truncated"


def test_a_zip_whose_middle_is_missing_is_refused(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a": os.urandom(5000), "b": b"x"})
    data = path.read_bytes()
    path.write_bytes(data[:2000] + data[3000:])
    assert refusal_of(path).code in ("archive_broken", "archive_truncated")


@pytest.mark.parametrize(
    ("at", "value"),
    [(0, b"XXXX"), (28, b"\xff\xff"), (42, b"\x99\0\0\0"), (46, b"z")],
    ids=["mark", "long name", "wrong place", "another name"],
)
def test_a_directory_that_makes_no_sense_is_refused(tmp_path, at, value):
    path = write_zip(tmp_path / "a.zip", {"a": b"content"})
    patched(path, directory_at(path) + at, value)
    assert refusal_of(path).code == "archive_broken"


def test_a_directory_that_starts_before_the_file_is_refused(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a": b"content"})
    patched(path, path.stat().st_size - 10, struct.pack("<L", 10**6))
    assert refusal_of(path).code == "archive_broken"


@given(st.data())
def test_no_damage_leads_to_anything_but_a_word(tmp_path_factory, data):
    path = write_zip(tmp_path_factory.mktemp("zip") / "a.zip", {"a.png": b"content " * 20, "b/c": b"more"})
    whole = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(whole[: data.draw(st.integers(4, len(whole)))])
    with suppress(SetRefused):
        read_all(path)


# ── bombs ────────────────────────────────────────────────────────────────────────────────────────────────────


def overlapping_zip(path, count):
    """After Fifield: every entry's packed content is the same bytes."""
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    content = packed.compress(bytes(10**6)) + packed.flush()
    crc = zlib.crc32(bytes(10**6))
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 0, crc, len(content), 10**6, 1, 0) + b"a" + content
    record = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 8, 0, 0, crc, len(content), 10**6, 1, 0, 0, 0, 0, 0, 0)
    directory = (record + b"a") * count
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), len(local), 0)
    path.write_bytes(local + directory + end)
    return path


def test_entries_that_share_bytes_are_refused(tmp_path):
    assert refusal_of(overlapping_zip(tmp_path / "a.zip", 2)).code == "overlapping_entries"


def test_one_such_entry_alone_is_read(tmp_path):
    assert contents(overlapping_zip(tmp_path / "a.zip", 1)) == {"a": bytes(10**6)}


def test_an_entry_that_reaches_into_the_next_one_is_refused(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a": b"first", "b": b"second"}, zipfile.ZIP_STORED)
    patched(path, directory_at(path) + 20, struct.pack("<2L", 50, 50))
    assert refusal_of(path).code == "overlapping_entries"


def test_a_million_entries_are_refused_from_the_directory_whatever_its_count_says(tmp_path):
    """The end record says one entry; nothing of the million is kept."""
    record = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    directory = record * 10**6
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, 1, 0) + b"a"
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(directory), len(local), 0)
    (tmp_path / "a.zip").write_bytes(local + directory + end)
    refused = refusal_of(tmp_path / "a.zip", IntakeLimits(most_entries=5000))
    assert refused.code == "too_many_entries"
    assert "5,000" in refused.text


def test_what_comes_out_is_counted_not_what_is_promised(tmp_path):
    """60 MB of zeros in an entry that claims ten bytes."""
    path = write_zip(tmp_path / "a.zip", {"a": bytes(60_000_000)})
    patched(path, directory_at(path) + 24, struct.pack("<L", 10))
    assert refusal_of(path).code == "archive_bomb"


def test_a_ratio_that_photographs_never_have_is_refused_beyond_fifty_megabytes(tmp_path):
    assert contents(write_zip(tmp_path / "a.zip", {"a": bytes(50_000_000)}))["a"] == bytes(50_000_000)
    assert refusal_of(write_zip(tmp_path / "b.zip", {"a": bytes(50_000_001)})).code == "archive_bomb"
    assert read_all(tmp_path / "b.zip", IntakeLimits(most_ratio=2000))


def test_more_bytes_than_a_set_may_have_are_refused(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a": bytes(600), "b": bytes(401)}, zipfile.ZIP_STORED)
    assert refusal_of(path, IntakeLimits(most_bytes=1000)).code == "too_many_bytes"
    assert read_all(path, IntakeLimits(most_bytes=1001))
