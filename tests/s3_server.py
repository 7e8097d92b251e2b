"""An S3-compatible server on loopback, for as long as the tests of a process want one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import boto3

KEY, SECRET = "testing", "a+secret/with=signs"


class S3Server:
    """A running server."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._numbers = count(1)

    def client(self) -> object:
        """A client of S3's own, to look behind the yard's back."""
        return boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
        )

    def make_bucket(self) -> str:
        """A new, empty bucket's name."""
        name = f"yard-{next(self._numbers)}"
        self.client().create_bucket(Bucket=name)
        return name

    def url(self, bucket: str) -> str:
        """What TRAINYARD_BLOBS_URL says to use a bucket."""
        return f"s3+http://{KEY}:a%2Bsecret%2Fwith%3Dsigns@127.0.0.1:{self.port}/{bucket}/some/blobs"


@contextmanager
def run_s3() -> Iterator[S3Server]:
    """Start a server, and stop it at the end."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield S3Server(server.get_host_and_port()[1])
    finally:
        server.stop()
