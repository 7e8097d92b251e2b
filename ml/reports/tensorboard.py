"""Scalars as TensorBoard event files, written without TensorFlow and without a thread of their own."""

from __future__ import annotations

import math
from pathlib import Path
from types import TracebackType
from typing import Self


class ScalarWriter:
    """One event file in a folder. Several in one folder, as of a resumed run, show as one run in TensorBoard.

    Where two files have the same name and step, TensorBoard shows the later one's value.
    """

    def __init__(self, folder: Path, *, started_at_s: float) -> None:
        """Begin a new file; the folder is made if need be.

        Args:
            folder: where to write.
            started_at_s: the time now, in seconds since 1970; TensorBoard orders files by it.
        """
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        folder.mkdir(parents=True, exist_ok=True)
        self.path = _free_path(folder, started_at_s)
        self._file = self.path.open("xb")
        self._writer = RecordWriter(self._file)
        self._writer.write(Event(wall_time=started_at_s, file_version="brain.Event:2").SerializeToString())

    def write(self, name: str, value: float | None, *, step: int, at_s: float) -> None:
        """Add one value of one metric at a time in seconds since 1970; None stands for what is not finite."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        summary = Summary(value=[Summary.Value(tag=name, simple_value=math.nan if value is None else value)])
        self._writer.write(Event(wall_time=at_s, step=step, summary=summary).SerializeToString())

    def flush(self) -> None:
        """Hand everything written to the system, so that a reader sees it."""
        self._file.flush()

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _free_path(folder: Path, started_at_s: float) -> Path:
    """A name that sorts by time; TensorBoard knows event files by `tfevents` in it."""
    number = 0
    while (path := folder / f"events.out.tfevents.{int(started_at_s):010d}.trainyard.{number}").exists():
        number += 1
    return path
