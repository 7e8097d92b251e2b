"""`python -m worker.sheet DATASET FOLDER TARGET`: draw the sample sheet of a staged dataset.

A process of its own, short-lived: numpy and Pillow need not stay in the worker's parent.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_WITHIN_S = 60.0


def draw_sheet(name: str, folder: Path, target: Path) -> str:
    """Write the PNG with a process of its own; returns why it could not, or nothing."""
    command = [sys.executable, "-m", "worker.sheet", name, str(folder), str(target)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_WITHIN_S, check=False)
    except subprocess.TimeoutExpired:
        return f"it took longer than {_WITHIN_S:.0f} s"
    said = done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"]
    return said[-1][:300] if done.returncode != 0 else ""


def main(name: str, folder: str, target: str) -> None:
    """Draw in this process."""
    from ml.datasets import load_images, sample_sheet

    sample_sheet(load_images(name, Path(folder)), Path(target))


if __name__ == "__main__":
    main(*sys.argv[1:])
