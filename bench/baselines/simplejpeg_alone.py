"""Decoding JPEGs with simplejpeg (libjpeg-turbo) and nothing else, in threads. Needs only simplejpeg and Python.

Run as a script by an interpreter that has it: `python simplejpeg_alone.py FOLDER THREADS`; prints images a second.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def main(folder: str, threads: str) -> float:
    """Images a second."""
    import simplejpeg

    files = sorted(Path(folder).iterdir())
    started = time.perf_counter()
    with ThreadPoolExecutor(int(threads)) as pool:
        list(pool.map(lambda file: simplejpeg.decode_jpeg(file.read_bytes(), "RGB").shape, files))
    return len(files) / (time.perf_counter() - started)


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
