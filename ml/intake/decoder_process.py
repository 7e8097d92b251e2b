"""One decoder as its owner has it: started when needed, asked one thing at a time, killed when silent too long."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from fcntl import F_SETPIPE_SZ, fcntl
from typing import Any

from ml.intake.frames import LONGEST_LINE, BrokenFrame, pack_line, parse_line
from ml.intake.refusals import FileProblem
from records.intake import IntakeLimits

DECODER = (sys.executable, "-m", "ml.intake.decoder")
ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "SYSTEMROOT")
"""All of the owner's environment that a decoder sees."""
START_S = 60.0
PART_BYTES = 2**20
BYTES_A_PIXEL = 4
"""More than any answer needs for each pixel that an image may have."""


class DecoderProcess:
    """Not for two threads at once; `close` alone may come from another."""

    def __init__(self, limits: IntakeLimits, command: Sequence[str]) -> None:
        self._decode_s = limits.decode_s
        self._largest_answer = limits.largest_image_pixels * BYTES_A_PIXEL + PART_BYTES
        given = {
            "longest_px": limits.largest_image_px,
            "pixels": limits.largest_image_pixels,
            "memory_bytes": limits.memory_bytes,
            "decode_s": limits.decode_s,
        }
        self._command = [*command, json.dumps(given)]
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._lock = threading.Lock()

    def ask(self, work: str, data: bytes, **arguments: Any) -> tuple[dict[str, Any], bytes]:
        """What the decoder answers: facts, and bytes.

        Args:
            work: one of `ml.intake.decoder.WORKS`.
            data: a file.
            arguments: of that work; JSON.

        Raises:
            FileProblem: the decoder refuses the file, or it crashed, hung or broke its limits over it.
            RuntimeError: no decoder can be started, or it was closed.
        """
        process = self._running()
        deadline = time.monotonic() + self._decode_s
        try:
            _send(process, [pack_line({"work": work, **arguments}, len(data)), data], deadline)
            facts, made = _receive(process, self._largest_answer, deadline)
        except TimeoutError:
            self._kill()
            raise self._crashed(f"took longer than {self._decode_s:g} s") from None
        except (OSError, EOFError, BrokenFrame) as error:
            raise self._crashed(self._last_words(error)) from error
        if "problem" in facts:
            raise FileProblem(str(facts["problem"])[:100], str(facts["text"])[:1000])
        return facts, made

    def close(self) -> None:
        """End it at once; it is not started again."""
        self._closed = True
        self._kill()

    def _running(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise RuntimeError("The decoder is closed.")
            if self._process is None:
                self._process = _start(self._command)
            return self._process

    def _kill(self) -> int:
        """End it, and return its exit status."""
        with self._lock:
            process, self._process = self._process, None
        return 0 if process is None else _end(process)

    def _last_words(self, error: Exception) -> str:
        process = self._process
        if isinstance(error, BrokenFrame):
            self._kill()
            return f"answered nonsense ({error})"
        with suppress(subprocess.TimeoutExpired):  # its pipes are closed, so its end is near
            if process is not None:
                process.wait(5)
        status = self._kill()
        if status == -signal.SIGXCPU:
            return f"took more than {self._decode_s:g} s of processor time"
        return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"

    @staticmethod
    def _crashed(what: str) -> FileProblem:
        return FileProblem(
            "decoder_crashed",
            f"The process that decodes images {what} over this file. Save it again, or leave it out.",
        )


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """A decoder that has locked itself down and said that it is ready."""
    environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**environment, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        bufsize=0,
    )
    for pipe in (process.stdin, process.stdout):
        os.set_blocking(pipe.fileno(), False)
        with suppress(OSError):  # an administrator may have set a lower limit; it is only slower
            fcntl(pipe.fileno(), F_SETPIPE_SZ, PART_BYTES)
    try:
        _receive(process, 0, time.monotonic() + START_S)
    except (OSError, EOFError, BrokenFrame, TimeoutError) as error:
        status = _end(process)
        raise RuntimeError(f"Expected a decoder to start, it ended with status {status}: {command}") from error
    return process


def _end(process: subprocess.Popen[bytes]) -> int:
    process.kill()
    status = process.wait()
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):
            pipe.close()
    return status


def _send(process: subprocess.Popen[bytes], parts: Sequence[bytes], deadline: float) -> None:
    fd = process.stdin.fileno()
    for part in parts:
        rest = memoryview(part)
        while rest:
            _wait(fd, select.POLLOUT, deadline)
            with suppress(BlockingIOError):
                rest = rest[os.write(fd, rest[:PART_BYTES]) :]


def _receive(process: subprocess.Popen[bytes], largest: int, deadline: float) -> tuple[dict[str, Any], bytes]:
    fd = process.stdout.fileno()
    came = bytearray()
    while b"\n" not in came:
        if len(came) > LONGEST_LINE:
            raise BrokenFrame("expected a line of JSON, got no end of line")
        came += _read(fd, deadline)
    line, _, rest = bytes(came).partition(b"\n")
    fields, size = parse_line(line, largest)
    made = bytearray(rest)
    while len(made) < size:
        made += _read(fd, deadline)
    if len(made) > size:
        raise BrokenFrame(f"expected {size} bytes, got {len(made)}")
    return fields, bytes(made)


def _read(fd: int, deadline: float) -> bytes:
    _wait(fd, select.POLLIN, deadline)
    part = os.read(fd, PART_BYTES)
    if not part:
        raise EOFError
    return part


def _wait(fd: int, what: int, deadline: float) -> None:
    """Until the pipe can be read or written, or has broken, which reading and writing then tell."""
    poll = select.poll()
    poll.register(fd, what)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError
