"""Watching a job live: a picture that moves on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.live import Live as LivePicture
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from trainyard.cli import words
from trainyard.cli.job_sheet import reason_line
from trainyard.cli.output import status_text
from trainyard.client import Client
from trainyard.results import Job

_LINE_EVERY_S = 3.0
_CURVES = ("train/loss", "train/accuracy")
_CURVE_WIDTH = 60


def watch_job(client: Client, job_id: int, console: Console) -> Job:
    """Show the job until it has finished, and return it as it ended."""
    updates = client.watch(job_id)
    return _watch_picture(updates, console) if console.is_terminal else _watch_lines(updates, console)


def print_ending(job: Job, console: Console) -> None:
    """How the job ended, in a line or two."""
    took = words.between(job.started_at, job.finished_at)
    line = Text.assemble(f"#{job.id} {job.title} ", status_text(job.status), f" in {took}" if took else "")
    console.print(line)
    numbers = [f"{name} {words.value(value)}" for name, value in job.summary.items() if "/" in name]
    if numbers:
        console.print("  ".join(numbers))
    if job.reason and job.status != "succeeded":
        console.print(reason_line(job.reason))


def _watch_picture(updates: Iterator[Job], console: Console) -> Job:
    curves: dict[str, list[float]] = defaultdict(list)
    with LivePicture(console=console, auto_refresh=False, transient=True) as picture:
        for job in updates:
            _remember(curves, job)
            picture.update(_picture(job, curves, console.width), refresh=True)
    return job


def _watch_lines(updates: Iterator[Job], console: Console) -> Job:
    """A line at each new status, stage and epoch, and every few seconds between."""
    told, due = "", 0.0
    for job in updates:
        chapter = f"{job.status} {job.live.stage} {job.live.epoch} {job.reason and job.reason.code}"
        if chapter != told or time.monotonic() >= due:
            told, due = chapter, time.monotonic() + _LINE_EVERY_S
            console.print(f"#{job.id} {_line(job)}")
    return job


def _remember(curves: dict[str, list[float]], job: Job) -> None:
    for name in _CURVES:
        value = job.live.values.get(name)
        if value is not None:
            curves[name].append(value)


def _picture(job: Job, curves: dict[str, list[float]], width: int) -> RenderableType:
    head = Text.assemble((f"#{job.id} ", "dim"), (job.title, "bold"), "  ", status_text(job.status))
    parts: list[RenderableType] = [head]
    if job.status != "running":
        return Group(head, Text(_line(job)))
    parts.append(_bar(job, width))
    parts.append(Text("  ".join(_numbers(job))))
    drawn = {name: curve for name, curve in curves.items() if len(curve) > 1}
    room = min(width - max(map(len, _CURVES)) - 2, _CURVE_WIDTH)
    for name, curve in drawn.items():
        parts.append(Text.assemble((f"{name:<16}", "dim"), (words.sparkline(curve, room), "cyan")))
    return Group(*parts)


def _bar(job: Job, width: int) -> RenderableType:
    """What it does, how far it is, and how long it will take."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    left = f"{words.span(job.time_left_s)} left" if job.time_left_s is not None else ""
    bar = ProgressBar(total=1.0, completed=job.progress, width=max(10, min(40, width - 42)), complete_style="cyan")
    grid.add_row(_doing(job), bar, f"{job.progress:4.0%}", left)
    return grid


def _line(job: Job) -> str:
    """The same in one line."""
    if job.status == "queued":
        place = f"queued, place {job.place_in_queue}" if job.place_in_queue else "queued"
        return f"{place}: {job.reason.text}" if job.reason and job.reason.text else place
    if job.status != "running":
        return job.status
    left = [f"{words.span(job.time_left_s)} left"] if job.time_left_s is not None else []
    return "  ".join([_doing(job), f"{job.progress:4.0%}", *_numbers(job), *left])


def _doing(job: Job) -> str:
    live = job.live
    if job.cancel_requested:
        return "stopping"
    if live.stage in (None, "training") and live.epoch:
        return f"epoch {live.epoch:>{len(str(live.epochs))}}/{live.epochs}"
    return live.stage or "running"


def _numbers(job: Job) -> list[str]:
    """Loss, accuracy and speed; the learning rate is in the curves of the job's page."""
    shown = [
        f"{name.removeprefix('train/')} {words.value(value)}"
        for name, value in job.live.values.items()
        if name != "learning_rate"
    ]
    if job.live.images_per_s:
        shown.append(f"{job.live.images_per_s:,.0f} images/s")
    return shown
