"""The life of one intake: an order comes down standard input, events go up standard output, an exit status."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import traceback
from contextlib import suppress

from ml.intake.refusals import SetRefused
from ml.intake.sandbox import lock_common
from ml.intake.take_in import take_in
from ml.intake.telling import Teller, write_line
from records.intake import IntakeFinished, IntakeOrder, IntakeRefused

FINISHED, REFUSED, BROKEN = 0, 1, 2
STOPPED = 128 + signal.SIGTERM
OWN_MEMORY_BYTES = 8 * 2**30
"""Address space of the process that unpacks; ten thousand images take a twentieth of it."""
LONGEST_TEXT = 10_000


class Stopped(BaseException):
    """Raised where the intake stands when it is asked to stop; nothing catches it on the way."""


def run_intake(order_fd: int, events_fd: int) -> int:
    """Take in the one set that the order names; the result is the exit status.

    The process becomes the leader of its own group. It ends, with its decoders, on SIGTERM, and when `order_fd` reaches
    its end, because then the parent has died: keep the other side open for as long as the intake shall live.

    Returns:
        0 after `finished`, 1 after `refused`, 2 where the intake itself broke (the log has the traceback), 143 when it
        was stopped.
    """
    signal.signal(signal.SIGTERM, _stop)
    with suppress(PermissionError):  # already the leader: the parent started it so
        os.setsid()
    send = write_line(events_fd)
    try:
        line = _read_line(order_fd)
        threading.Thread(target=_stop_at_end, args=(order_fd,), daemon=True).start()
        lock_common(OWN_MEMORY_BYTES)
        take_in(IntakeOrder.model_validate_json(line), Teller(send))
        send(IntakeFinished())
        return FINISHED
    except SetRefused as refused:
        send(IntakeRefused(code=refused.code, text=refused.text[:LONGEST_TEXT]))
        return REFUSED
    except (Stopped, BrokenPipeError):
        return STOPPED
    except Exception as error:
        traceback.print_exc()
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            text = "The server has no room left for this set. Tell its administrator, or send a smaller one."
            send(IntakeRefused(code="disk_full", text=text))
            return REFUSED
        return BROKEN


def _stop(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough; the decoders are ended on the way out
    raise Stopped


def _read_line(fd: int) -> bytes:
    """One line, read without a buffer: a daemon thread that holds a buffer's lock breaks the end of the process."""
    line = bytearray()
    while not line.endswith(b"\n"):
        part = os.read(fd, 65_536)
        if not part:
            raise Stopped
        line += part
    return bytes(line)


def _stop_at_end(fd: int) -> None:
    """Wait for the end of the orders, which means that the parent has died, and stop."""
    with suppress(OSError):
        while os.read(fd, 65_536):
            pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    """`python -m ml.intake`."""
    return run_intake(sys.stdin.fileno(), sys.stdout.fileno())
