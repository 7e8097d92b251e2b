"""How far an upload and its check are: bars on a terminal, a line now and then elsewhere, nothing with --json."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from trainyard.cli import words
from trainyard.cli.output import console
from trainyard.client import Client
from trainyard.dataset_results import DatasetVersion

_LINE_EVERY_S = 3.0
_STAGES = {
    "waiting": "Waiting for a worker",
    "unpacking": "Unpacking",
    "reading": "Reading images",
    "comparing": "Looking for duplicates",
    "splitting": "Dealing splits",
    "writing": "Writing images",
    "drawing": "Drawing samples",
    "storing": "Storing",
}

Tell = Callable[[int, int], None]


@contextmanager
def sending(*, quiet: bool) -> Iterator[Tell]:
    """What hears how many bytes are sent."""
    screen = console()
    if quiet:
        yield lambda done, of: None
    elif screen.is_terminal:
        with _bar(screen) as bar:
            task = bar.add_task("Sending", total=None)
            yield lambda done, of: bar.update(task, completed=done, total=of)
    else:
        yield _SlowLines(screen).tell


def watch(client: Client, version: DatasetVersion, *, quiet: bool) -> DatasetVersion:
    """Follow a check to its end; the version as it ended."""
    screen = console()
    updates = client.watch_dataset(version.ref)
    if quiet:
        return _last(updates)
    return _watch_bar(updates, screen) if screen.is_terminal else _watch_lines(updates, screen)


def _bar(screen: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=40),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=screen,
        transient=True,
    )


class _SlowLines:
    def __init__(self, screen: Console) -> None:
        self._screen = screen
        self._due = 0.0

    def tell(self, done: int, of: int) -> None:
        """A line every few seconds, and at the end."""
        if done == of or time.monotonic() >= self._due:
            self._due = time.monotonic() + _LINE_EVERY_S
            self._screen.print(f"Sending {words.bytes_(done)} of {words.bytes_(of)}")


def _last(updates: Iterator[DatasetVersion]) -> DatasetVersion:
    for version in updates:
        last = version
    return last


def _watch_bar(updates: Iterator[DatasetVersion], screen: Console) -> DatasetVersion:
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=40), TextColumn("{task.fields[count]}"))
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task("Checking", total=None, count="")
        for version in updates:
            stage, done, of = _stand(version)
            bar.update(task, description=stage, completed=done, total=of or None, count=_count(done, of))
    return version


def _watch_lines(updates: Iterator[DatasetVersion], screen: Console) -> DatasetVersion:
    told = ""
    for version in updates:
        stage, _, of = _stand(version)
        if stage != told and not version.is_decided:
            told = stage
            screen.print(f"{stage}{f' ({of:,})' if of else ''}")
    return version


def _stand(version: DatasetVersion) -> tuple[str, int, int]:
    if version.progress is None:
        return version.status.capitalize(), 1, 1
    progress = version.progress
    return _STAGES.get(progress.stage, progress.stage.capitalize()), progress.done, progress.of


def _count(done: int, of: int) -> str:
    return f"{done:,} of {of:,}" if of else ""
