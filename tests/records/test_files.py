"""Stored bytes, the artifacts that name them, and the log."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from records import artifacts, logs
from records.blobs import FolderBlobs
from records.catalogue import MNIST
from records.datasets import fetched_datasets, note_fetched
from records.errors import BlobUnavailable, DiskFull, NotFound
from records.set_tables import DroppedBlobTable

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def blobs(tmp_path):
    """An empty blob store."""
    return FolderBlobs(tmp_path / "blobs")


@pytest.fixture
def source(tmp_path):
    """A file with known bytes."""
    path = tmp_path / "source.bin"
    path.write_bytes(b"weights" * 1000)
    return path


def stored_files(blobs):
    return sorted(path.name for path in blobs.folder.rglob("*") if path.is_file())


def fill_the_disk(monkeypatch, code=errno.ENOSPC):
    def fail(_descriptor):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)


def test_a_blob_lies_under_the_digest_of_its_bytes(blobs, source):
    blob = blobs.put_file(source)
    assert blob.sha256 == hashlib.sha256(b"weights" * 1000).hexdigest()
    assert blob.size_bytes == 7000
    assert blobs.path(blob.sha256).read_bytes() == source.read_bytes()
    with blobs.open(blob.sha256) as file:
        assert file.read(7) == b"weights"


def test_the_same_bytes_are_kept_once(blobs, source):
    assert blobs.put_file(source) == blobs.put_file(source)
    assert len(stored_files(blobs)) == 1


def test_what_is_stored_for_a_while_waits_for_no_disk(blobs, source, monkeypatch):
    fill_the_disk(monkeypatch)  # whoever waits for the disk fails
    with source.open("rb") as file:
        blob = blobs.put_passing(file)
    assert blobs.path(blob.sha256).read_bytes() == source.read_bytes()
    assert stored_files(blobs) == [blob.sha256]


def test_what_is_stored_for_a_while_never_replaces_what_is_to_last(blobs, source):
    lasting = blobs.path(blobs.put_file(source).sha256)
    os.utime(lasting, (1, 1))
    before = lasting.stat()
    with source.open("rb") as file:
        blobs.put_passing(file)
    assert lasting.stat().st_ino == before.st_ino
    assert lasting.stat().st_mtime > before.st_mtime, "storing renews a blob's time"
    assert stored_files(blobs) == [lasting.name]


def test_a_full_disk_leaves_nothing_behind(blobs, source, monkeypatch):
    fill_the_disk(monkeypatch)
    with pytest.raises(DiskFull, match="Free some"):
        blobs.put_file(source)
    assert stored_files(blobs) == []


def test_a_disk_that_fails_otherwise_may_work_next_time(blobs, source, monkeypatch):
    fill_the_disk(monkeypatch, errno.EIO)
    with pytest.raises(BlobUnavailable):
        blobs.put_file(source)
    assert stored_files(blobs) == []


def test_a_process_that_is_killed_while_it_stores_leaves_no_blob(blobs, tmp_path, source, eventually):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    code = (
        "import sys; from pathlib import Path; from records.blobs import FolderBlobs;"
        "FolderBlobs(Path(sys.argv[1])).put_file(Path(sys.argv[2]))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(blobs.folder), str(pipe)], cwd=ROOT)
    with pipe.open("wb") as file:
        file.write(b"x" * (3 << 20))  # the process waits for more
        file.flush()
        eventually(lambda: any(path.stat().st_size for path in blobs.folder.glob(".*.part")))
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert all(name.endswith(".part") for name in stored_files(blobs))
    blob = blobs.put_file(source)
    assert blobs.path(blob.sha256).exists()


def test_a_fetched_blob_is_checked_against_its_address(blobs, source, tmp_path):
    blob = blobs.put_file(source)
    blobs.fetch(blob.sha256, tmp_path / "good")
    assert (tmp_path / "good").read_bytes() == source.read_bytes()
    blobs.path(blob.sha256).write_bytes(b"damaged")
    with pytest.raises(BlobUnavailable, match="damaged"):
        blobs.fetch(blob.sha256, tmp_path / "bad")
    assert not (tmp_path / "bad").exists()


def test_a_fetch_onto_a_full_disk_leaves_nothing_behind(blobs, source, tmp_path, monkeypatch):
    blob = blobs.put_file(source)
    fill_the_disk(monkeypatch)
    with pytest.raises(DiskFull):
        blobs.fetch(blob.sha256, tmp_path / "half")
    assert not (tmp_path / "half").exists()


def test_a_missing_blob_is_unavailable_and_deleting_it_is_fine(blobs, tmp_path):
    with pytest.raises(BlobUnavailable):
        blobs.fetch("ab" * 32, tmp_path / "x")
    with pytest.raises(BlobUnavailable):
        blobs.open("ab" * 32)
    blobs.delete("ab" * 32)
    assert blobs.free_bytes() > 0


# ── artifacts ────────────────────────────────────────────────────────────────────────────────────────────────


def keep(yard, blobs, job_id, name, content, kind="table", step=None):
    path = blobs.folder.parent / "content"
    path.write_bytes(content)
    blob = blobs.put_file(path)
    with yard.database.write() as session:
        artifacts.add_artifact(
            session, job_id, blob, name=name, kind=kind, media_type="text/plain", at=yard.clock(), step=step
        )
    return blob.sha256


def test_an_artifact_of_the_same_name_is_replaced(yard, blobs):
    job_id = yard.submit()
    keep(yard, blobs, job_id, "history.csv", b"old")
    digest = keep(yard, blobs, job_id, "history.csv", b"newer")
    with yard.database.read() as session:
        (found,) = artifacts.list_artifacts(session, job_id)
        assert (found.sha256, found.size_bytes) == (digest, 5)


def test_two_jobs_may_use_one_name(yard, blobs):
    ids = [yard.submit(), yard.submit()]
    digests = [keep(yard, blobs, job_id, "a.txt", b"%d" % job_id) for job_id in ids]
    with yard.database.read() as session:
        assert [artifacts.find_artifact(session, i, "a.txt").sha256 for i in ids] == digests


@pytest.mark.parametrize("name", ["histroy.csv", "../history.csv", "x" * 10_000, ""])
def test_an_unknown_artifact_is_answered_with_near_names(yard, blobs, name):
    job_id = yard.submit()
    keep(yard, blobs, job_id, "history.csv", b"x")
    with yard.database.read() as session, pytest.raises(NotFound, match=r"history\.csv") as caught:
        artifacts.find_artifact(session, job_id, name)
    assert len(str(caught.value)) < 300


def test_the_two_newest_checkpoints_are_kept_and_the_blobs_of_the_others_named(yard, blobs):
    job_id = yard.submit()
    digests = {s: keep(yard, blobs, job_id, f"c-{s}", b"%d" % s, "checkpoint", s) for s in (30, 10, 40, 20)}
    keep(yard, blobs, job_id, "model.keras", b"model", "model")
    with yard.database.write() as session:
        assert artifacts.drop_old_checkpoints(session, job_id) == sorted([digests[10], digests[20]])
        assert [found.step for found in artifacts.checkpoints(session, job_id)] == [40, 30]
        assert artifacts.drop_old_checkpoints(session, job_id) == []
        assert len(artifacts.list_artifacts(session, job_id)) == 3


def test_a_blob_that_anybody_else_names_is_not_given_up(yard, blobs):
    job_id, other = yard.submit(), yard.submit()
    for step in (1, 2, 3, 4):
        keep(yard, blobs, job_id, f"c-{step}", b"%d" % step, "checkpoint", step)
    keep(yard, blobs, other, "same", b"1")
    sheet = hashlib.sha256(b"2").hexdigest()
    with yard.database.write() as session:
        note_fetched(session, MNIST, source="folder", sheet_sha256=sheet, at=yard.clock())
        assert artifacts.drop_old_checkpoints(session, job_id) == []
        assert fetched_datasets(session)["mnist"].sheet_sha256 == sheet


def test_a_kept_checkpoint_with_the_bytes_of_an_old_one_keeps_them(yard, blobs):
    job_id = yard.submit()
    for step, content in ((1, b"same"), (2, b"other"), (3, b"same")):
        keep(yard, blobs, job_id, f"c-{step}", content, "checkpoint", step)
    with yard.database.write() as session:
        assert artifacts.drop_old_checkpoints(session, job_id) == []


# ── the log ──────────────────────────────────────────────────────────────────────────────────────────────────


def write_log(yard, job_id, texts):
    with yard.database.write() as session:
        logs.write_log(session, job_id, 1, [logs.LogLine(yard.clock(), "info", text) for text in texts])


def read_log(yard, job_id, **options):
    with yard.database.read() as session:
        return logs.read_log(session, job_id, **options)


def test_lines_are_read_in_order_and_by_pages(yard):
    job_id, other = yard.submit(), yard.submit()
    write_log(yard, job_id, ["one", "two"])
    write_log(yard, other, ["else"])
    write_log(yard, job_id, ["three"])
    lines = read_log(yard, job_id)
    assert [line.text for line in lines] == ["one", "two", "three"]
    assert [line.text for line in read_log(yard, job_id, after=lines[1].id)] == ["three"]
    assert [line.text for line in read_log(yard, job_id, limit=2)] == ["one", "two"]


def test_a_line_is_cut_and_holds_no_character_that_a_database_refuses(yard):
    job_id = yard.submit()
    write_log(yard, job_id, ["x" * 10_000, "a\x00b\udcffc"])
    assert [line.text for line in read_log(yard, job_id)] == ["x" * logs.MAX_LINE_LENGTH, "a\ufffdb?c"]


def test_a_full_log_says_so_once_and_grows_no_more(yard):
    job_id = yard.submit()
    write_log(yard, job_id, ["x"] * (logs.MAX_LINES - 2))
    write_log(yard, job_id, ["last", "dropped", "dropped", "dropped"])
    write_log(yard, job_id, ["dropped"])
    lines = read_log(yard, job_id, limit=logs.MAX_LINES + 10)
    assert len(lines) == logs.MAX_LINES
    assert lines[-2].text == "last"
    assert (lines[-1].level, "full" in lines[-1].text) == ("warning", True)


def test_what_an_artifact_replaced_is_dropped_and_the_same_bytes_again_are_not(yard, blobs):
    job_id = yard.submit()
    old = keep(yard, blobs, job_id, "progress.jpg", b"old")
    for _ in range(2):
        newer = keep(yard, blobs, job_id, "progress.jpg", b"newer")
    with yard.database.read() as session:
        assert session.get(DroppedBlobTable, old) is not None
        assert session.get(DroppedBlobTable, newer) is None
