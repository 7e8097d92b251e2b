"""Tars: as `tarfile` writes them, packed or not, and as nobody should."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import struct
import subprocess
import tarfile
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.intake.archives import open_source
from ml.intake.refusals import SetRefused
from records.intake import IntakeLimits
from tests.ml.intake.making import write_tar

FILES = {"a.txt": b"first", "b/c.bin": bytes(100_000), "b/d.bin": os.urandom(600_000), "e": b""}
LONG = {"folder/" * 30 + "n" * 60 + ".png": b"deep", "ä" * 70 + ".png": b"wide"}
MODES = {"plain": "w", "gzip": "w:gz", "bzip2": "w:bz2", "xz": "w:xz"}


def read_all(path, limits=None):
    source, _ = open_source(path, limits or IntakeLimits())
    try:
        return [(entry.name, entry.kind, b"".join(entry.parts())) for entry in source.entries()]
    finally:
        source.close()


def contents(path):
    return {name.decode(): content for name, _, content in read_all(path)}


def refusal_of(path, limits=None):
    with pytest.raises(SetRefused) as caught:
        read_all(path, limits)
    return caught.value


# ── good ones ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_every_usual_packing_is_read(tmp_path, mode):
    assert contents(write_tar(tmp_path / "a", FILES, mode)) == FILES


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_are_read(tmp_path, form):
    assert contents(write_tar(tmp_path / "a", LONG, form=form)) == LONG


def test_long_names_in_two_fields_are_read(tmp_path):
    files = {"folder/" * 15 + "n" * 90: b"deep"}
    assert contents(write_tar(tmp_path / "a", files, form=tarfile.USTAR_FORMAT)) == files


@given(
    st.dictionaries(
        st.text("abc/é", min_size=1, max_size=8).map(lambda n: n.strip("/") or "x"), st.binary(), min_size=1
    ),
    st.sampled_from([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
)
def test_what_tarfile_writes_is_what_is_read(tmp_path_factory, files, form):
    assert contents(write_tar(tmp_path_factory.mktemp("tar") / "a", files, form=form)) == files


def test_a_tar_of_the_system_is_read(tmp_path):
    (tmp_path / "set" / "ants").mkdir(parents=True)
    (tmp_path / "set" / "ants" / "1.png").write_bytes(b"one")
    subprocess.run(["tar", "czf", tmp_path / "a.tgz", "-C", tmp_path, "set"], check=True)
    assert read_all(tmp_path / "a.tgz") == [
        (b"set/", "folder", b""),
        (b"set/ants/", "folder", b""),
        (b"set/ants/1.png", "file", b"one"),
    ]


def test_several_gzips_one_after_the_other_count_as_one(tmp_path):
    plain = write_tar(tmp_path / "plain", FILES).read_bytes()
    (tmp_path / "a").write_bytes(gzip.compress(plain[:5000]) + gzip.compress(plain[5000:]) + bytes(100))
    assert contents(tmp_path / "a") == FILES


def test_content_that_nobody_reads_is_passed_over(tmp_path):
    source, _ = open_source(write_tar(tmp_path / "a", FILES, "w:gz"), IntakeLimits())
    assert [entry.name.decode() for entry in source.entries()] == list(FILES)
    source.close()


def test_a_large_size_in_binary_is_read(tmp_path):
    path = write_tar(tmp_path / "a", {"a": b"content"})
    data = bytearray(path.read_bytes())
    data[124:136] = b"\x80" + (7).to_bytes(11, "big")
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    path.write_bytes(data)
    assert contents(path) == {"a": b"content"}


# ── kinds of entries ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        (tarfile.SYMTYPE, "link"),
        (tarfile.LNKTYPE, "link"),
        (tarfile.CHRTYPE, "special"),
        (tarfile.BLKTYPE, "special"),
        (tarfile.FIFOTYPE, "special"),
        (tarfile.CONTTYPE, "file"),
        (tarfile.DIRTYPE, "folder"),
    ],
)
def test_links_and_devices_are_named_never_followed(tmp_path, form, kind):
    with tarfile.open(tmp_path / "a", "w") as archive:
        entry = tarfile.TarInfo("entry")
        entry.type, entry.linkname = form, "/etc/passwd"
        archive.addfile(entry)
        archive.addfile(tarfile.TarInfo("after"))
    assert [(name.rstrip(b"/"), kind) for name, kind, _ in read_all(tmp_path / "a")] == [
        (b"entry", kind),
        (b"after", "file"),
    ]


def test_sparse_files_are_named_never_filled(tmp_path):
    """One file claims a terabyte of holes."""
    with (tmp_path / "holes").open("wb") as file:
        file.truncate(10**9)
        file.seek(5 * 10**8)
        file.write(b"content")
    for form in ("gnu", "posix"):
        command = ["tar", "cSf", tmp_path / form, f"--format={form}", "-C", tmp_path, "holes"]
        subprocess.run(command, check=True)
        ((_, kind, content),) = read_all(tmp_path / form)
        assert (kind, content) == ("special", b"")


# ── damage ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_tar_is_refused(tmp_path, mode, share):
    path = write_tar(tmp_path / "a", FILES, mode)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert refusal_of(path).code == "archive_truncated"


def test_a_tar_without_its_end_is_refused(tmp_path):
    """Cut exactly between two entries."""
    path = write_tar(tmp_path / "a", {"a": b"1", "b": b"2"}, form=tarfile.USTAR_FORMAT)
    path.write_bytes(path.read_bytes()[:1024])
    assert refusal_of(path).code == "archive_truncated"


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_a_damaged_stream_is_refused(tmp_path, mode):
    path = write_tar(tmp_path / "a", FILES, mode)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 40] = os.urandom(40)
    path.write_bytes(data)
    # bzip2 checks a whole block only when it has been unpacked: by then its first bytes were no tar
    assert refusal_of(path).code in ("archive_broken", "not_an_archive")


def test_a_damaged_header_is_refused(tmp_path):
    path = write_tar(tmp_path / "a", {"a": b"1", "b": b"2"}, form=tarfile.USTAR_FORMAT)
    data = bytearray(path.read_bytes())
    data[1024 + 10] = 7
    path.write_bytes(data)
    assert refusal_of(path).code == "archive_broken"


def header(name, form, size):
    """A header of ours, with the right checksum."""
    block = bytearray(512)
    block[: len(name)] = name
    block[124:136] = b"%011o\0" % size
    block[156:157] = form
    block[257:265] = b"ustar\x0000"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(content):
    return content + bytes(-len(content) % 512)


@pytest.mark.parametrize(
    "content",
    [b"x", b"12 path=a", b"99 path=a\n", b"0 path=a\n", b"-5 path=a\n", b"10 pathxa\n", b"9" * 30 + b" path=a\n"],
)
def test_pax_records_that_make_no_sense_are_refused(tmp_path, content):
    (tmp_path / "a").write_bytes(
        header(b"p", b"x", len(content)) + padded(content) + header(b"a", b"0", 0) + bytes(1024)
    )
    assert refusal_of(tmp_path / "a").code == "archive_broken"


@pytest.mark.parametrize("form", [b"L", b"K", b"x", b"g"])
def test_a_header_that_claims_gigabytes_is_refused_before_it_is_read(tmp_path, form):
    (tmp_path / "a").write_bytes(header(b"p", form, 5 * 10**9) + bytes(4096))
    refused = refusal_of(tmp_path / "a")
    assert refused.code == "archive_broken"
    assert "5,000,000,000 bytes" in refused.text


def test_headers_without_end_are_refused(tmp_path):
    (tmp_path / "a").write_bytes((header(b"p", b"L", 5) + padded(b"name\0")) * 100)
    assert "too many headers" in refusal_of(tmp_path / "a").text


@given(st.data())
def test_no_damage_leads_to_anything_but_a_word(tmp_path_factory, data):
    path = write_tar(tmp_path_factory.mktemp("tar") / "a", {"ä" * 60: b"content " * 20, "b/c": b"more"})
    whole = bytearray(path.read_bytes()[:4096])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, 511)) + 512 * data.draw(st.integers(0, 5))
        whole[at] = data.draw(st.integers(0, 255))
    for start in range(0, 3072, 512):  # the checksums are right again, so that more than these is tried
        if whole[start + 257 : start + 262] == b"ustar":
            whole[start + 148 : start + 156] = b" " * 8
            whole[start + 148 : start + 156] = b"%06o\0 " % sum(whole[start : start + 512])
    path.write_bytes(whole)
    with suppress(SetRefused):
        read_all(path)


# ── bombs, and what is no tar ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("packing", [gzip, bz2, lzma])
def test_a_bomb_is_refused_while_it_is_unpacked(tmp_path, packing):
    plain = header(b"a", b"0", 10**9) + bytes(60_000_000)
    (tmp_path / "a").write_bytes(packing.compress(plain))
    assert refusal_of(tmp_path / "a").code == "archive_bomb"


def test_an_xz_that_wants_gigabytes_of_memory_is_refused(tmp_path):
    data = bytearray(lzma.compress(header(b"a", b"0", 0) + bytes(1024), preset=0))
    block = 12  # behind the stream's header; its own first byte tells its length
    end = block + 4 * (data[block] + 1)
    place = data.index(b"\x21\x01", block) + 2  # LZMA2, one byte of properties: the size of the dictionary
    data[place] = 39  # 3 GiB
    data[end - 4 : end] = struct.pack("<L", zlib.crc32(data[block : end - 4]))
    (tmp_path / "a").write_bytes(data)
    refused = refusal_of(tmp_path / "a")
    assert refused.code == "archive_broken"
    assert "emory" in refused.text


@pytest.mark.parametrize(
    ("start", "code"),
    [
        (b"", "not_an_archive"),
        (b"hello", "not_an_archive"),
        (b"\x89PNG\r\n\x1a\n" + bytes(2000), "not_an_archive"),
        (bytes(2048), "not_an_archive"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(100), "archive_not_taken"),
        (b"Rar!\x1a\x07\x01\0" + bytes(100), "archive_not_taken"),
        (b"\x28\xb5\x2f\xfd" + bytes(100), "archive_not_taken"),
        (gzip.compress(b"a text"), "not_an_archive"),
        (b"\x1f\x8b\x08", "archive_truncated"),
    ],
    ids=["empty", "text", "png", "zeros", "7z", "rar", "zstd", "gzip of a text", "gzip cut off"],
)
def test_what_is_no_archive_of_ours_is_told_so(tmp_path, start, code):
    (tmp_path / "a.zip").write_bytes(start)
    assert refusal_of(tmp_path / "a.zip").code == code


def test_how_far_reading_is_counts_packed_bytes(tmp_path):
    path = write_tar(tmp_path / "a", {f"{n}": os.urandom(400_000) for n in range(4)}, "w:gz")
    source, _ = open_source(path, IntakeLimits())
    told = [source.progress() for _ in source.entries()]
    source.close()
    assert [of for _, of in told] == [path.stat().st_size] * 4
    assert told[0][0] < told[-1][0] <= path.stat().st_size
