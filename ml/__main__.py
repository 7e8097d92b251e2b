"""`python -m ml --events-fd N`: one order comes down standard input, events go up pipe N, the log goes to 1 and 2."""

from __future__ import annotations

import argparse
import os
import sys

from ml.child import run_child


def main() -> int:
    """Run one order; the exit status is that of `ml.child.run_child`."""
    parser = argparse.ArgumentParser(prog="python -m ml", description=__doc__)
    parser.add_argument("--events-fd", type=int, required=True, help="file descriptor of the pipe for events")
    return run_child(sys.stdin.fileno(), parser.parse_args().events_fd)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: taking TensorFlow's thread pools down in good order takes long, and everything is written.
    os._exit(status)
