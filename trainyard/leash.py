"""Run as a script: tie a program's life to that of the process that starts it, then become that program.

`python -I -S leash.py PARENT_PID PROGRAM ARGUMENT…`. Linux sends the program a SIGTERM as soon as its parent is gone,
also after a kill -9. (It is the parent's *thread* that counts: start programs from one that lives as long as they
should.) Elsewhere the program runs without a leash. Nothing here may import more than the standard library.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def leashed(argv: Sequence[str]) -> list[str]:
    """The command line that runs `argv` on this process's leash. The process id stays the same."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *argv]


def main(parent: int, argv: Sequence[str]) -> None:
    """Put on the leash and become the program."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it died before the leash was on
            raise SystemExit(1)
    os.execvp(argv[0], list(argv))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
