"""Blobs in an S3-compatible store: `PREFIX/ab/abcdef…` of a bucket. Nothing here needs a disk that machines share."""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, BinaryIO
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from records.blobs import Blob, copy_and_digest, foreign_errors
from records.errors import BlobUnavailable, JobError, TrainyardError

_CHUNK = 1 << 20
_PART = 16 << 20
_SPOOLED = 8 << 20
_CONNECT_S, _READ_S, _TRIES = 5, 60, 5
_GONE = frozenset({"404", "NoSuchKey", "NotFound"})
_FORM = "s3://KEY:SECRET@HOST/BUCKET/PREFIX?region=REGION, s3+http://… without TLS, or s3://BUCKET/PREFIX"


@dataclass(frozen=True)
class S3Address:
    """Where blobs lie, and who asks for them; without a key, whoever the machine's own AWS set-up says."""

    bucket: str
    prefix: str
    endpoint: str | None
    region: str | None
    key: str | None
    secret: str | None

    @classmethod
    def parse(cls, url: str) -> S3Address:
        """Read `s3://KEY:SECRET@HOST[:PORT]/BUCKET[/PREFIX][?region=…]`, or `s3://BUCKET[/PREFIX]` for AWS itself.

        Raises:
            TrainyardError: it is neither; the text does not repeat it, as it holds a secret.
        """
        parts = urlsplit(url)
        region = parse_qs(parts.query).get("region", [None])[0]
        path = parts.path.strip("/")
        if parts.scheme not in ("s3", "s3+http") or not parts.hostname:
            raise TrainyardError(f"TRAINYARD_BLOBS_URL makes no sense. Expected {_FORM}.")
        if parts.username is None:
            return cls(parts.hostname, path, None, region, None, None)
        bucket, _, prefix = path.partition("/")
        if not bucket or not parts.password:
            raise TrainyardError(f"TRAINYARD_BLOBS_URL names no bucket or no secret. Expected {_FORM}.")
        scheme, host = "https" if parts.scheme == "s3" else "http", parts.netloc.rpartition("@")[2]
        key, secret = unquote(parts.username), unquote(parts.password)
        return cls(bucket, prefix, f"{scheme}://{host}", region or "us-east-1", key, secret)


class S3Blobs:
    """Blobs in a bucket.

    Args:
        address: which.
        passing: a folder of this machine for what is on its way: uploads under way, what is read to its end first.
    """

    def __init__(self, address: S3Address, passing: Path) -> None:
        self._bucket, self._prefix = address.bucket, address.prefix
        self.parts_folder = passing
        self._client: Any = boto3.session.Session().client(
            "s3",
            endpoint_url=address.endpoint,
            region_name=address.region,
            aws_access_key_id=address.key,
            aws_secret_access_key=address.secret,
            config=Config(
                connect_timeout=_CONNECT_S,
                read_timeout=_READ_S,
                retries={"max_attempts": _TRIES, "mode": "standard"},
                s3={"addressing_style": "path" if address.endpoint else "auto"},
                request_checksum_calculation="when_required",  # other stores than AWS's do not know all of them
                response_checksum_validation="when_required",
            ),
        )
        self._transfer = TransferConfig(multipart_threshold=_PART, multipart_chunksize=_PART, max_concurrency=4)

    def put_file(self, source: Path) -> Blob:
        """Copy a file in. It appears whole or not at all; the store checks each part that it gets.

        Raises:
            BlobUnavailable: reading or sending failed.
        """
        with foreign_errors(f"store {source.name}"), source.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
            file.seek(0)
            return self._send(file, Blob(digest, size))

    def take_file(self, source: Path, sha256: str) -> Blob:
        """Make a file a blob; it is gone from where it was.

        Args:
            source: the file.
            sha256: of its bytes, which the caller has just read.

        Raises:
            FileNotFoundError: it is not there any more.
            BlobUnavailable: sending failed; the file stays.
        """
        with foreign_errors(f"store {source.name}", but=FileNotFoundError), source.open("rb") as file:
            blob = self._send(file, Blob(sha256, source.stat().st_size))
        source.unlink(missing_ok=True)
        return blob

    def put_passing(self, source: BinaryIO) -> Blob:
        """Store what an open file still holds. Raises as `put_file` does, and DiskFull."""
        digest = hashlib.sha256()
        with foreign_errors("store what came"), tempfile.SpooledTemporaryFile(_SPOOLED) as spooled:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                spooled.write(chunk)
            size = spooled.tell()
            spooled.seek(0)
            return self._send(spooled, Blob(digest.hexdigest(), size))

    def put_bytes(self, content: bytes) -> Blob:
        """Store bytes. Raises as `put_file` does."""
        with foreign_errors("store what was made"):
            return self._send(io.BytesIO(content), Blob(hashlib.sha256(content).hexdigest(), len(content)))

    def local(self, sha256: str, folder: Path) -> Path:
        """A file with the blob's bytes: a copy in this folder. Raises as `fetch` does."""
        target = folder / sha256
        if not target.exists():
            self.fetch(sha256, target)
        return target

    def holds(self, sha256: str) -> bool:
        """Whether a blob is there.

        Raises:
            BlobUnavailable: the store cannot be reached.
        """
        return self._stored_at(sha256) is not None

    def open(self, sha256: str) -> BinaryIO:
        """The blob's bytes; only those are sent that are read, also after a seek.

        Raises:
            BlobUnavailable: it is not there.
        """
        reader = _Reader(self, sha256)
        return io.BufferedReader(reader, _CHUNK)

    def fetch(self, sha256: str, target: Path) -> None:
        """Copy a blob out, and check its bytes against its address.

        Raises:
            BlobUnavailable: it is not there, or its bytes are damaged.
            DiskFull: there is no room at the target; nothing of it stays behind.
        """
        try:
            with foreign_errors(f"fetch blob {sha256[:12]}"), self.get(sha256)["Body"] as body, _said(sha256):
                digest = copy_and_digest(body, target)
        except JobError:
            target.unlink(missing_ok=True)
            raise
        if digest != sha256:
            target.unlink()
            raise BlobUnavailable(f"Blob {sha256[:12]} is damaged: its bytes hash to {digest[:12]}.")

    def delete(self, sha256: str) -> None:
        """Remove a blob that nothing names any more; absent is fine."""
        with _said(sha256):
            self._client.delete_object(Bucket=self._bucket, Key=self._key(sha256))

    def discard(self, sha256: str, *, stored_before: datetime) -> bool:
        """Remove a blob unless somebody has stored the same bytes again since; whether it is gone.

        S3 cannot do both in one step. What is stored in the milliseconds between the look and the removal is lost
        with it; `put_file` looks after it has stored, so that this must also outlast that look.
        """
        stored_at = self._stored_at(sha256)
        if stored_at is not None and stored_at >= stored_before.replace(microsecond=0):  # S3 tells whole seconds
            return False
        self.delete(sha256)
        return True

    def free_bytes(self) -> int:
        """Room on this machine for what is on its way; a bucket has no end."""
        self.parts_folder.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self.parts_folder).free

    def get(self, sha256: str, first: int = 0) -> Any:
        """S3's reply with the bytes from one on: `Body` is a stream, `ContentLength` what is to come.

        Raises:
            BlobUnavailable: it is not there, or the store cannot be reached.
        """
        part = {"Range": f"bytes={first}-"} if first else {}
        with _said(sha256):
            return self._client.get_object(Bucket=self._bucket, Key=self._key(sha256), **part)

    def _send(self, file: IO[bytes], blob: Blob) -> Blob:
        place = {"Bucket": self._bucket, "Key": self._key(blob.sha256)}
        extra = {"ChecksumAlgorithm": "SHA256"}
        with _said(blob.sha256):
            for _ in range(2):
                file.seek(0)
                keep_open: Any = _Unclosed(file)  # boto3 closes what it was given
                self._client.upload_fileobj(keep_open, **place, ExtraArgs=extra, Config=self._transfer)
                if self._stored_at(blob.sha256) is not None:  # else it was discarded in the same moment
                    return blob
        raise BlobUnavailable(f"Blob {blob.sha256[:12]} was stored and is not there.")

    def _stored_at(self, sha256: str) -> datetime | None:
        with _said(sha256):
            try:
                found: datetime = self._client.head_object(Bucket=self._bucket, Key=self._key(sha256))["LastModified"]
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") in _GONE:
                    return None
                raise
        return found

    def _key(self, sha256: str) -> str:
        return f"{self._prefix}/{sha256[:2]}/{sha256}".lstrip("/")


class _Reader(io.RawIOBase):
    """Reads a blob from wherever it stands; a seek costs another request, and only if something is read there."""

    def __init__(self, blobs: S3Blobs, sha256: str) -> None:
        self._blobs, self._sha256 = blobs, sha256
        reply = blobs.get(sha256)
        self._body: Any = reply["Body"]
        self._size: int = reply["ContentLength"]
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset != self._at:
            self._drop()
            self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        if self._at >= self._size:
            return 0
        if self._body is None:
            self._body = self._blobs.get(self._sha256, self._at)["Body"]
        with _said(self._sha256):
            chunk = self._body.read(len(buffer))
        buffer[: len(chunk)] = chunk
        self._at += len(chunk)
        return len(chunk)

    def close(self) -> None:
        self._drop()
        super().close()

    def _drop(self) -> None:
        if getattr(self, "_body", None) is not None:
            self._body.close()
            self._body = None


class _Unclosed:
    """A file that others may read and not close."""

    def __init__(self, file: IO[bytes]) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        pass


@contextmanager
def _said(sha256: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        why = "it is not there" if code in _GONE else f"the store says {code or error}"
        raise BlobUnavailable(f"Could not use blob {sha256[:12]}: {why}.") from error
    except BotoCoreError as error:
        raise BlobUnavailable(f"Could not use blob {sha256[:12]}: {error}.") from error
