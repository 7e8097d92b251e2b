"""Plays `python -m ml.intake` in every way that it should not: `stand_in.py HOW`."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path


def say(**event: object) -> None:
    """One event."""
    print(json.dumps(event), flush=True)


def main(how: str) -> int:
    """Read the order, and behave."""
    order = json.loads(sys.stdin.readline())
    out = Path(order["folder"])
    say(event="progress", stage="reading", done=1, of=2)
    match how:
        case "hang":
            (out / "pid").write_text(str(os.getpid()))
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            if os.fork() == 0:  # a child of its own, which must go too
                time.sleep(600)
            time.sleep(600)
        case "die":
            print("Traceback: something broke", file=sys.stderr)
            return 2
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "nonsense":
            print("this is no event", flush=True)
            say(event="progress", stage="dancing", done=1, of=2)
            say(event="finished")
        case "empty":
            say(event="finished")
        case "lie":
            say(event="finished")
            return 1
        case "environment":
            say(event="refused", code="told", text=json.dumps(dict(os.environ)))
            return 1
        case "link":
            (out / "report.json").symlink_to("/etc/passwd")
            say(event="refused", code="bad_files", text="Bad.")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
