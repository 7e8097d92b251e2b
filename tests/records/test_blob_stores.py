"""What every store of blobs does: the folder, and a bucket on a real S3-compatible server."""

from __future__ import annotations

import errno
import hashlib
import io
import os
from datetime import timedelta

import pytest
from pydantic import SecretStr

from records.blob_store import make_blobs
from records.blobs import FolderBlobs
from records.clock import utc_now
from records.errors import BlobUnavailable, DiskFull, TrainyardError
from records.s3_blobs import S3Address, S3Blobs
from records.settings import Settings
from records.upload_parts import UploadParts
from tests.s3_server import run_s3

LARGE = bytes(range(256)) * 150_000  # 38 MB: three parts


@pytest.fixture(scope="module")
def s3_server():
    """A real server of S3's protocol."""
    with run_s3() as server:
        yield server


@pytest.fixture(params=["folder", "s3"])
def blobs(request, tmp_path):
    """An empty store."""
    if request.param == "folder":
        return FolderBlobs(tmp_path / "blobs")
    server = request.getfixturevalue("s3_server")
    url = SecretStr(server.url(server.make_bucket()))
    return make_blobs(Settings(home=tmp_path, blobs_url=url))


@pytest.fixture
def source(tmp_path):
    """A file with known bytes."""
    path = tmp_path / "source.bin"
    path.write_bytes(b"weights" * 1000)
    return path


def spoil(blobs, digest):
    """Let the store hold other bytes."""
    if isinstance(blobs, FolderBlobs):
        blobs.path(digest).write_bytes(b"other")
    else:
        blobs._client.put_object(Bucket=blobs._bucket, Key=blobs._key(digest), Body=b"other")


def test_what_is_stored_can_be_had_again(blobs, source, tmp_path):
    assert not blobs.holds(hashlib.sha256(source.read_bytes()).hexdigest())
    blob = blobs.put_file(source)
    assert (blob.sha256, blob.size_bytes) == (hashlib.sha256(source.read_bytes()).hexdigest(), 7000)
    assert blobs.holds(blob.sha256)
    blobs.fetch(blob.sha256, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == source.read_bytes()
    assert blobs.local(blob.sha256, tmp_path).read_bytes() == source.read_bytes()
    assert source.exists()


def test_a_large_file_goes_in_parts_and_comes_back_whole(blobs, source, tmp_path):
    source.write_bytes(LARGE)
    blob = blobs.put_file(source)
    assert blob.size_bytes == len(LARGE)
    blobs.fetch(blob.sha256, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == LARGE


def test_bytes_are_the_same_blob_as_a_file_of_them(blobs, source):
    assert blobs.put_bytes(source.read_bytes()) == blobs.put_file(source)


def test_the_same_bytes_are_stored_as_often_as_one_likes(blobs, source):
    assert blobs.put_file(source) == blobs.put_file(source)


def test_an_open_blob_can_be_read_from_anywhere(blobs, source):
    source.write_bytes(LARGE)
    digest = blobs.put_file(source).sha256
    with blobs.open(digest) as file:
        assert file.read(10) == LARGE[:10]
        assert file.seek(30_000_001) == 30_000_001
        assert file.read(100) == LARGE[30_000_001:30_000_101]
        assert file.seek(5) == 5
        assert file.read(3) == LARGE[5:8]
        assert file.seek(-7, io.SEEK_END) == len(LARGE) - 7
        assert file.read() == LARGE[-7:]
        assert file.read() == b""
        assert file.seekable()


def test_a_file_that_is_taken_is_gone_from_where_it_was(blobs, source):
    content = source.read_bytes()
    source = source.rename(source.with_name("taken"))
    if isinstance(blobs, FolderBlobs):
        blobs.folder.mkdir()
    digest = hashlib.sha256(content).hexdigest()
    assert blobs.take_file(source, digest).size_bytes == 7000
    assert not source.exists()
    with blobs.open(digest) as file:
        assert file.read() == content
    with pytest.raises(FileNotFoundError):
        blobs.take_file(source, digest)


def test_what_comes_through_a_pipe_is_stored(blobs):
    blob = blobs.put_passing(io.BytesIO(b"picture" * 5))
    assert (blob.sha256, blob.size_bytes) == (hashlib.sha256(b"picture" * 5).hexdigest(), 35)
    with blobs.open(blob.sha256) as file:
        assert file.read() == b"picture" * 5


def test_damaged_bytes_are_noticed_and_leave_nothing(blobs, source, tmp_path):
    digest = blobs.put_file(source).sha256
    spoil(blobs, digest)
    with pytest.raises(BlobUnavailable, match="damaged"):
        blobs.fetch(digest, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_fetch_onto_a_full_disk_says_so_and_leaves_nothing(blobs, source, tmp_path, monkeypatch):
    digest = blobs.put_file(source).sha256

    def fail(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(DiskFull):
        blobs.fetch(digest, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_not_there_is_unavailable_and_deleting_it_is_fine(blobs, tmp_path):
    for act in (
        lambda: blobs.fetch("ab" * 32, tmp_path / "x"),
        lambda: blobs.open("ab" * 32),
        lambda: blobs.local("ab" * 32, tmp_path),
    ):
        with pytest.raises(BlobUnavailable):
            act()
    blobs.delete("ab" * 32)
    assert blobs.free_bytes() > 0


def test_a_blob_is_discarded_unless_it_was_stored_since(blobs, source):
    digest = blobs.put_file(source).sha256
    assert not blobs.discard(digest, stored_before=utc_now() - timedelta(minutes=5))
    assert blobs.holds(digest)
    assert blobs.discard(digest, stored_before=utc_now() + timedelta(minutes=5))
    assert not blobs.holds(digest)
    assert blobs.discard(digest, stored_before=utc_now())


def test_an_upload_in_parts_becomes_a_blob(blobs):
    parts = UploadParts(blobs)
    with parts.writing("ab" * 16, 0) as writer:
        writer.write(b"first ")
    with parts.writing("ab" * 16, 6) as writer:
        writer.write(b"second")
    blob = parts.become_blob("ab" * 16)
    with blobs.open(blob.sha256) as file:
        assert file.read() == b"first second"
    assert parts.size("ab" * 16) == 0


# ── S3 alone ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_blobs_lie_below_the_prefix_under_their_digest(s3_server, source, tmp_path):
    bucket = s3_server.make_bucket()
    store = make_blobs(Settings(home=tmp_path, blobs_url=SecretStr(s3_server.url(bucket))))
    digest = store.put_file(source).sha256
    (found,) = s3_server.client().list_objects_v2(Bucket=bucket)["Contents"]
    assert (found["Key"], found["Size"]) == (f"some/blobs/{digest[:2]}/{digest}", 7000)


def test_a_store_that_cannot_be_reached_is_unavailable_not_empty(tmp_path, source, monkeypatch):
    monkeypatch.setattr("records.s3_blobs._TRIES", 1)
    store = S3Blobs(S3Address.parse("s3+http://k:s@127.0.0.1:1/bucket"), tmp_path)
    for act in (lambda: store.holds("ab" * 32), lambda: store.open("ab" * 32), lambda: store.put_file(source)):
        with pytest.raises(BlobUnavailable, match="Could not use blob"):
            act()


def test_a_bucket_that_is_not_there_is_unavailable(s3_server, tmp_path, source):
    store = make_blobs(Settings(home=tmp_path, blobs_url=SecretStr(s3_server.url("nothing"))))
    with pytest.raises(BlobUnavailable, match=r"NoSuchBucket|not there"):
        store.put_file(source)


def test_bytes_that_change_on_their_way_are_refused_by_the_store(s3_server, tmp_path, source, monkeypatch):
    store = make_blobs(Settings(home=tmp_path, blobs_url=SecretStr(s3_server.url(s3_server.make_bucket()))))
    seen = []
    store._client.meta.events.register("before-sign.s3.PutObject", lambda request, **_: seen.append(request.headers))
    store.put_file(source)
    assert any("sha256" in name.lower() for headers in seen for name in headers)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("s3://key:a%2Fb@store:90/yard/x/y?region=eu", ("yard", "x/y", "https://store:90", "eu", "key", "a/b")),
        ("s3+http://key:s@store/yard", ("yard", "", "http://store", "us-east-1", "key", "s")),
        ("s3://yard/x", ("yard", "x", None, None, None, None)),
    ],
)
def test_an_address_is_read(url, address):
    found = S3Address.parse(url)
    assert (found.bucket, found.prefix, found.endpoint, found.region, found.key, found.secret) == address


@pytest.mark.parametrize("url", ["http://key:sesame@store/yard", "s3://", "s3://key:sesame@store", "s3://key@store/b"])
def test_an_address_that_makes_no_sense_is_told_without_its_secret(url):
    with pytest.raises(TrainyardError, match="Expected s3://") as caught:
        S3Address.parse(url)
    assert "sesame" not in str(caught.value)
