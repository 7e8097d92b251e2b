"""The pictures that a painting leaves behind: what was given, how far it is, the result, and how it came to be."""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from ml.reporter import Reporter
from ml.style.pictures import Pixels, as_frame, write_picture, write_time_lapse
from records.events import PROGRESS

GIVEN_PX = 640
"""Longer side of the copies of what was given."""
PROGRESS_PX = 1024
"""Longer side of the picture on the way."""
LEFT = 16
"""The last so many of these files stay, until whoever hears of them has stored them."""


class Gallery:
    """Writes pictures into a folder and hands them over.

    Args:
        folder: where they go.
        reporter: hears of each.
        every_s: least time between two pictures on the way, in seconds.
        clock: a monotonic clock in seconds.
    """

    def __init__(self, folder: Path, reporter: Reporter, *, every_s: float, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._reporter = reporter
        self._every_s = every_s
        self._clock = clock
        self._shown_at = clock() - every_s
        self._number = 0
        self._folders: deque[Path] = deque()

    def keep_given(self, content: Pixels, styles: Sequence[Pixels]) -> None:
        """Keep copies of what was given, for whoever looks at the result."""
        for name, pixels in [("content", content), *((f"style-{n}", pixels) for n, pixels in enumerate(styles, 1))]:
            self._keep(self._write(f"{name}.jpg", as_frame(pixels, GIVEN_PX)), "given", "image/jpeg")

    def show_if_due(self, picture: Callable[[], Pixels]) -> None:
        """Keep the picture on the way, in place of the one before, if that is old enough."""
        now = self._clock()
        if now - self._shown_at >= self._every_s:
            self._shown_at = now
            self._keep(self._write("progress.jpg", as_frame(picture(), PROGRESS_PX)), PROGRESS, "image/jpeg")

    def keep_result(self, picture: Pixels, frames: Sequence[bytes]) -> None:
        """Keep the picture, and how it came to be."""
        result, lapse = self._folder / "result.png", self._folder / "time-lapse.webp"
        write_picture(result, picture)
        self._keep(result, "painting", "image/png")
        write_time_lapse(lapse, frames)
        self._keep(lapse, "painting", "image/webp")

    def _write(self, name: str, data: bytes) -> Path:
        """A file under its own name in a folder of its own: the one before may not have been picked up yet."""
        self._number += 1
        folder = self._folder / f"pictures-{self._number}"
        folder.mkdir()
        self._folders.append(folder)
        while len(self._folders) > LEFT:
            shutil.rmtree(self._folders.popleft(), ignore_errors=True)
        (folder / name).write_bytes(data)
        return folder / name

    def _keep(self, path: Path, kind: str, media_type: str) -> None:
        self._reporter.artifact(path, kind=kind, media_type=media_type)
