"""Backups: everything comes back, between both databases; damage is found; nothing is overwritten."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
from datetime import timedelta

import pytest
from sqlalchemy import inspect

from records import backups, dropped, restoring
from records.blobs import FolderBlobs
from records.dropped import are_held, columns_that_name_blobs
from records.errors import BackupError, BlobUnavailable
from records.restoring import check_backup, restore_backup
from records.schema import head, is_at_head
from tests.records.any_rows import digest, fill, rows_of
from worker.leftovers import sweep_blobs


@pytest.fixture
def blobs(tmp_path):
    """The store of the yard that is backed up."""
    return FolderBlobs(tmp_path / "blobs")


@pytest.fixture
def filled(database, blobs):
    """Rows in every table, and a blob for each address that they name; the rows."""
    with database.engine.connect() as connection, connection.begin():
        rows = fill(connection)
    for table, column in columns_that_name_blobs():
        for number in (1, 2):
            text = blobs.folder.parent / "text"
            text.write_text(f"{table}.{column} {number}")
            assert blobs.put_file(text).sha256 == digest(table, column, number)
    return rows


@pytest.fixture
def folder(database, blobs, filled, tmp_path, clock):
    """A backup of that."""
    make(database, blobs, tmp_path / "backup", clock)
    return tmp_path / "backup"


def make(database, blobs, folder, clock):
    return backups.make_backup(database, blobs, folder, release="1.2.3", clock=clock)


def all_rows(database):
    with database.engine.connect() as connection:
        found = rows_of(connection)
    found["yard"] = [row for row in found["yard"] if row["name"] != "blobs_held_until"]
    return found


# ── there and back ───────────────────────────────────────────────────────────────────────────────────────────


def test_every_row_and_blob_comes_back_in_either_database(database, folder, filled, blobs, empty, tmp_path):
    other = FolderBlobs(tmp_path / "restored")
    manifest = restore_backup(empty, other, folder)
    assert all_rows(empty) == filled == all_rows(database)
    assert is_at_head(empty)
    assert manifest.rows["jobs"] == 2
    assert (manifest.release, manifest.revision, manifest.missing) == ("1.2.3", head(), ())
    for table, column in columns_that_name_blobs():
        other.fetch(digest(table, column, 2), tmp_path / "fetched")
    assert manifest.blobs == 2 * len(columns_that_name_blobs())


def test_a_restored_yard_goes_on_numbering_where_the_other_was(database, blobs, filled, tmp_path, clock, empty):
    with database.write() as session:
        session.connection().exec_driver_sql("DELETE FROM prediction_images")
        session.connection().exec_driver_sql("DELETE FROM predictions WHERE id = 2")
        if not database.is_sqlite:
            session.connection().exec_driver_sql("SELECT setval('predictions_id_seq', 2)")
    make(database, blobs, tmp_path / "backup", clock)
    restore_backup(empty, FolderBlobs(tmp_path / "restored"), tmp_path / "backup")
    with empty.engine.connect() as connection, connection.begin():
        (last,) = connection.exec_driver_sql(
            "INSERT INTO predictions (owner_id, job_id, status, options, claims, created_at) "
            "SELECT owner_id, job_id, status, options, claims, created_at FROM predictions WHERE id = 1 RETURNING id"
        ).one()
    assert last == 3


def test_coreutils_can_check_a_backup(folder):
    run = subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, text=True)
    assert (run.returncode, run.stdout + run.stderr) == (0, "")


def test_a_backup_can_be_read_by_its_owner_alone(folder):
    assert folder.stat().st_mode & 0o077 == 0
    files = [path for path in folder.rglob("*") if path.is_file() and "blobs" not in path.parts]
    assert [path for path in files if path.stat().st_mode & 0o077] == []


# ── damage ───────────────────────────────────────────────────────────────────────────────────────────────────


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["manifest.json", "tables/jobs.jsonl.gz", "blobs/*/*"])
@pytest.mark.parametrize("harm", [flip, lambda path: path.unlink()], ids=["damaged", "missing"])
def test_a_damaged_backup_is_told_by_file_and_not_restored(folder, empty, tmp_path, name, harm):
    path = sorted(folder.glob(name))[0]
    harm(path)
    with pytest.raises(BackupError, match=rf"{re.escape(str(path.relative_to(folder)))} is (damaged|missing)"):
        restore_backup(empty, FolderBlobs(tmp_path / "restored"), folder)
    assert inspect(empty.engine).get_table_names() == []
    assert not (tmp_path / "restored").exists()


@pytest.mark.parametrize("line", ["", "nonsense", f"{'a' * 64}  ../../etc/passwd", f"{'a' * 64}  blobs/bb/{'b' * 64}"])
def test_a_list_that_was_tampered_with_is_refused(folder, line):
    sums = folder / "SHA256SUMS"
    sums.write_text(sums.read_text() + line + "\n")
    with pytest.raises(BackupError, match="damaged"):
        check_backup(folder)


def test_a_folder_without_the_list_is_no_whole_backup(folder):
    (folder / "SHA256SUMS").unlink()
    with pytest.raises(BackupError, match="no whole backup"):
        check_backup(folder)


def test_a_backup_of_a_later_release_is_refused_in_clear_words(folder):
    rewrite_manifest(folder, revision="0999_the_future")
    with pytest.raises(BackupError, match=r"0999_the_future is of a later release.*Update"):
        check_backup(folder)


def test_rows_that_do_not_fit_leave_the_database_empty(folder, empty, tmp_path):
    path = folder / "tables" / "jobs.jsonl.gz"
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    path.write_bytes(gzip.compress(lines[0] + lines[0]))
    replace_sum(folder, "tables/jobs.jsonl.gz")
    with pytest.raises(Exception, match=r"(?i)unique"):
        restore_backup(empty, FolderBlobs(tmp_path / "restored"), folder)
    assert inspect(empty.engine).get_table_names() == []


def rewrite_manifest(folder, **changes):
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    replace_sum(folder, "manifest.json")


def replace_sum(folder, name):
    sums = folder / "SHA256SUMS"
    lines = [line for line in sums.read_text().splitlines() if not line.endswith(name)]
    sums.write_text("\n".join([*lines, f"{backups.digest_of(folder / name)}  {name}", ""]))


# ── what is there already ────────────────────────────────────────────────────────────────────────────────────


def test_a_yard_that_holds_something_is_never_overwritten(folder, database, blobs, filled):
    with pytest.raises(BackupError, match=r"holds \d+ tables already"):
        restore_backup(database, blobs, folder)
    assert all_rows(database) == filled


def test_a_backup_never_overwrites_a_folder(folder, database, blobs, clock):
    before = sorted(folder.rglob("*"))
    with pytest.raises(BackupError, match="not empty"):
        make(database, blobs, folder, clock)
    assert sorted(folder.rglob("*")) == before


def test_a_database_without_a_yard_makes_no_backup(empty, blobs, tmp_path, clock):
    with pytest.raises(BackupError, match="no yard"):
        make(empty, blobs, tmp_path / "backup", clock)


# ── a yard that lives ────────────────────────────────────────────────────────────────────────────────────────


def test_a_blob_that_is_lost_is_named_and_stops_no_backup(database, blobs, filled, tmp_path, clock, empty):
    lost, damaged = digest("artifacts", "sha256", 1), digest("artifacts", "sha256", 2)
    blobs.delete(lost)
    flip(blobs.path(damaged))
    manifest = make(database, blobs, tmp_path / "backup", clock)
    assert set(manifest.missing) == {lost, damaged}
    other = FolderBlobs(tmp_path / "restored")
    restore_backup(empty, other, tmp_path / "backup")
    with pytest.raises(BlobUnavailable):
        other.open(damaged)


def test_no_blob_is_deleted_while_a_backup_reads(database, blobs, filled, tmp_path, clock, monkeypatch):
    gone = digest("artifacts", "sha256", 1)
    fetch, swept = FolderBlobs.fetch, []
    os.utime(blobs.path(gone), (0, 0))

    def sweep_first(self, sha256, target):
        if not swept:  # a person deletes the artifact at once after the snapshot, and the sweep comes round
            with database.write() as session:
                session.connection().exec_driver_sql("DELETE FROM artifacts")
                dropped.drop(session, [gone], at=clock() - timedelta(days=1))
            swept.append(sweep_blobs(database, blobs, rest_s=0.0))
        return fetch(self, sha256, target)

    monkeypatch.setattr(FolderBlobs, "fetch", sweep_first)
    monkeypatch.setattr("worker.leftovers.utc_now", lambda: clock() + timedelta(minutes=1))
    assert make(database, blobs, tmp_path / "backup", clock).missing == ()
    assert swept
    with database.read() as session:
        assert not are_held(session, at=clock())
    monkeypatch.setattr("worker.leftovers.utc_now", lambda: clock() + timedelta(days=1))
    sweep_blobs(database, blobs, rest_s=0.0)
    assert not blobs.path(gone).exists()


def test_a_backup_that_breaks_lets_blobs_be_deleted_again_and_is_no_backup(
    database, blobs, filled, tmp_path, clock, monkeypatch
):
    def fail(*_):
        raise OSError("no room")

    monkeypatch.setattr(FolderBlobs, "fetch", fail)
    with pytest.raises(OSError, match="no room"):
        make(database, blobs, tmp_path / "backup", clock)
    with database.read() as session:
        assert not are_held(session, at=clock())
    with pytest.raises(BackupError, match="no whole backup"):
        check_backup(tmp_path / "backup")


def test_what_is_written_after_the_snapshot_is_not_in_the_backup(database, blobs, filled, tmp_path, clock, monkeypatch):
    read_rows, done = backups.read_rows, []

    def write_meanwhile(connection, table):
        if not done:  # the snapshot stands once the revision was read; no table was
            done.append(table.name)
            with database.write() as session:
                session.connection().exec_driver_sql("UPDATE users SET role = 'late'")
        yield from read_rows(connection, table)

    monkeypatch.setattr(backups, "read_rows", write_meanwhile)
    make(database, blobs, tmp_path / "backup", clock)
    assert done != ["users"]
    text = gzip.decompress((tmp_path / "backup" / "tables" / "users.jsonl.gz").read_bytes()).decode()
    assert "late" not in text


def test_a_copy_of_a_backup_is_a_backup(folder, empty, filled, tmp_path):
    shutil.copytree(folder, tmp_path / "moved")
    restoring.restore_backup(empty, FolderBlobs(tmp_path / "restored"), tmp_path / "moved")
    assert all_rows(empty) == filled
