"""How fast do people's own photographs go in, and in how much memory?

A zip of 10,000 generated photographs, 500 × 375 px JPEGs in ten classes, no two the same. In turn: `python -m
ml.intake` (unpack, check, decode in two locked processes, write anew, compare every pair, deal, pack, draw sheets,
report), and one process with plain Pillow that opens, converts and saves each (`bench/baselines/pillow_rewrite.py`).
Images a second from the start to the last word; the intake's own start is in it. Memory is the most that each process
ever held (`VmHWM`), looked up at every sign of progress.
A user would pick a script with Pillow.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from bench.alone import run_python
from bench.results import Aim
from bench.setting import CannotMeasure, Measured, Setting
from bench.statistics import alternate, figure, ratio
from records.intake import IntakeFinished, IntakeOrder, parse_intake_event
from records.settings import child_environment

AS_FAST_AS_A_SCRIPT = Aim(relation="at least", value=1.0)
SMALL = Aim(relation="at most", value=500)
WIDTH, HEIGHT, CLASSES = 500, 375, 10
LANDSCAPE_PX, LANDSCAPES = 3000, 4
QUALITY = 90


def measure(setting: Setting) -> Measured:
    """Images a second, two ways, and megabytes."""
    if not Path("/proc/self/status").exists():
        raise CannotMeasure("Memory was not measured: this kernel has no /proc/PID/status.")
    count = setting.count(10_000, 500)
    source = make_photographs(setting.folder / "photographs.zip", count)
    held: list[tuple[float, float]] = []

    def ours() -> float:
        took_s, own_mb, decoder_mb = take_in(source, setting.folder / "taken")
        held.append((own_mb, decoder_mb))
        return count / took_s

    def plain() -> float:
        folder = setting.folder / "plain"
        answer = run_python("bench.baselines.pillow_rewrite", {"source": str(source), "folder": str(folder)})
        shutil.rmtree(folder)
        return count / float(answer["took_s"])

    taken, rewritten = alternate(setting.count(3, 1), ours, plain)
    return Measured(
        [
            figure(f"taking in {count:,} photographs", "1/s", taken),
            figure("plain Pillow, one process", "1/s", rewritten),
            ratio("taking in : plain Pillow", taken, rewritten, AS_FAST_AS_A_SCRIPT),
            figure("memory of all its processes", "MB", [own + decoders for own, decoders in held], SMALL),
            figure("memory of the process that unpacks", "MB", [own for own, _ in held]),
        ]
    )


def make_photographs(path: Path, count: int) -> Path:
    """A zip of photographs: pieces of a few large landscapes of noise, each from another place."""
    random = np.random.default_rng(0)
    landscapes = [_landscape(random) for _ in range(LANDSCAPES)]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number in range(count):
            left, top = random.integers(0, LANDSCAPE_PX - WIDTH), random.integers(0, LANDSCAPE_PX - HEIGHT)
            piece = landscapes[number % LANDSCAPES].crop((left, top, left + WIDTH, top + HEIGHT))
            written = io.BytesIO()
            piece.save(written, "JPEG", quality=QUALITY)
            archive.writestr(f"class{number % CLASSES}/{number:05d}.jpg", written.getvalue())
    return path


def take_in(source: Path, folder: Path) -> tuple[float, float, float]:
    """Seconds, megabytes of the process that unpacks, and of its decoders together."""
    folder.mkdir()
    order = IntakeOrder(source=source, folder=folder, pack_prefix="p1")
    most_mb: dict[int, float] = {}
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "ml.intake"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=child_environment()
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(order.model_dump_json().encode() + b"\n")
        process.stdin.flush()
        event = None
        for line in process.stdout:
            event = parse_intake_event(line)
            _look_up(process.pid, most_mb)
        took_s = time.perf_counter() - started
    if not isinstance(event, IntakeFinished):
        raise RuntimeError(f"expected the photographs to be taken in, got {event}")
    images = json.loads((folder / "report.json").read_bytes())["new_images"]
    shutil.rmtree(folder)
    if images != len(zipfile.ZipFile(source).namelist()):
        raise RuntimeError(f"expected every photograph to be taken in, got {images}")
    own = most_mb.pop(process.pid)
    return took_s, own, sum(most_mb.values())


def _look_up(root: int, most_mb: dict[int, float]) -> None:
    """Note the most that each process below and with `root` ever held in memory."""
    try:
        processes = [psutil.Process(root), *psutil.Process(root).children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for process in processes:
        try:
            lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        except OSError:  # it has ended meanwhile
            continue
        for line in lines:
            if line.startswith("VmHWM:"):
                most_mb[process.pid] = int(line.split()[1]) * 1.024e-3


def _landscape(random: np.random.Generator) -> Image.Image:
    """Noise of many sizes, each weaker the finer it is."""
    layers = np.zeros((LANDSCAPE_PX, LANDSCAPE_PX, 3), np.float32)
    for side in (10, 30, 90, 270, 810, 2400):
        noise = Image.fromarray(random.integers(0, 256, (side, side, 3), np.uint8))
        grown = noise.resize((LANDSCAPE_PX, LANDSCAPE_PX), Image.Resampling.BICUBIC)
        layers += np.asarray(grown, np.float32) / side**0.5
    layers -= layers.min()
    return Image.fromarray((layers * (255 / layers.max())).astype(np.uint8))
