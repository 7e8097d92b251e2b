"""A decoder for tests that does what the first words of an image's bytes say, behind the real limits."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from ml.intake import decoder
from ml.intake.decoder import Answer
from ml.intake.pixels import PixelLimits


def pixels(data: bytes, limits: PixelLimits, **arguments: Any) -> Answer:
    """As told; anything that is not an order is decoded as always."""
    word, _, rest = data.partition(b" ")
    if word == b"die":
        os.kill(os.getpid(), int(rest))
    if word == b"raise":
        raise ZeroDivisionError("division by zero")
    if word == b"hang":
        signal.pause()
    if word == b"burn":
        while True:
            pass
    if word == b"grow":
        return {"grown": len(bytearray(int(rest)))}, b""
    if word == b"open":
        return failure_of(lambda: os.open(sys.executable, os.O_RDONLY)), b""
    if word == b"connect":
        return failure_of(socket.socket), b""
    if word == b"write":
        os.close(2)  # to have a descriptor for the file
        return failure_of(lambda: os.write(os.open(rest, os.O_CREAT | os.O_WRONLY), b"written")), b""
    if word == b"babble":
        os.write(1, b"this is no answer\n")
        time.sleep(60)
    if word == b"flood":
        os.write(1, b'{"bytes": 999999999999}\n')
        time.sleep(60)
    if word == b"limits":
        return {"status": open_status()}, b""
    return decoder.pixels(data, limits, **arguments)


def failure_of(act: Callable[[], object]) -> dict[str, str]:
    """The name of the system's error that an act ends with."""
    try:
        act()
    except OSError as error:
        return {"error": errno.errorcode[error.errno or 0]}
    return {"error": "none"}


def open_status() -> str:
    """`/proc/self/status`, read over the place of standard error, because no other descriptor is free."""
    os.close(2)
    fd = os.open("/proc/self/status", os.O_RDONLY)
    return os.read(fd, 10_000).decode()


def rewrite(data: bytes, limits: PixelLimits, **arguments: Any) -> Answer:
    """A picture with an order behind it kills its decoder."""
    if data.endswith(b"die"):
        os.kill(os.getpid(), signal.SIGKILL)
    return decoder_rewrite(data, limits, **arguments)


decoder_rewrite = decoder.rewrite
decoder.WORKS.update(pixels=pixels, rewrite=rewrite)

if __name__ == "__main__":
    decoder.main(sys.argv[1:])
