"""`python -m ml.intake`: one order comes down standard input, events go up standard output, the log to error."""

from __future__ import annotations

import os
import sys

from ml.intake.life import main

if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)  # the thread that waits for the parent's end never returns
