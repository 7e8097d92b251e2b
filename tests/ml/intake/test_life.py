"""The process: an order in, events out, an exit status, and a quick end when it is asked to stop or orphaned."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from records.intake import IntakeEvent, IntakeFinished, IntakeProgress, IntakeRefused, parse_intake_event
from tests.ml.intake.making import order_line, png, two_classes, write_zip

WAIT_S = 120
"""Until a test gives up; nothing waits so long that goes well."""


class Process:
    """An intake as the worker's parent has it."""

    def __init__(self, order: dict[str, Any] | bytes) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ml.intake"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        assert self.process.stdin
        self.process.stdin.write(order if isinstance(order, bytes) else order_line(order))

    def events(self) -> Iterator[IntakeEvent]:
        assert self.process.stdout
        for line in self.process.stdout:
            yield parse_intake_event(line)

    def wait_for_stage(self, stage: str) -> None:
        next(event for event in self.events() if isinstance(event, IntakeProgress) and event.stage == stage)

    def below(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(WAIT_S)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()


@pytest.fixture
def start():
    """Starts intakes, and ends those that are left."""
    started: list[Process] = []

    def start_one(order: dict[str, Any] | bytes) -> Process:
        started.append(Process(order))
        return started[-1]

    yield start_one
    for process in started:
        process.close()


@pytest.fixture
def make_order(tmp_path):
    """An order for files in a zip."""

    def make(files: dict[str, bytes], **options: Any) -> dict[str, Any]:
        (tmp_path / "out").mkdir()
        source = write_zip(tmp_path / "a.zip", files, zipfile.ZIP_STORED)
        return {"source": source, "folder": tmp_path / "out", "pack_prefix": "p7", "options": options}

    return make


def test_a_good_set_is_finished_with_every_stage_told(start, make_order, tmp_path):
    process = start(make_order(two_classes()))
    events = list(process.events())
    assert events[-1] == IntakeFinished()
    stages = [event.stage for event in events if isinstance(event, IntakeProgress)]
    assert list(dict.fromkeys(stages)) == ["unpacking", "reading", "comparing", "splitting", "writing", "drawing"]
    last = {event.stage: (event.done, event.of) for event in events if isinstance(event, IntakeProgress)}
    assert last["reading"] == last["writing"] == (6, 6)
    assert last["drawing"] == (2, 2)
    assert process.process.wait(WAIT_S) == 0
    assert (tmp_path / "out" / "packs" / "p7-0.zip").exists()


def test_a_bad_set_is_refused_with_its_report(start, make_order, tmp_path):
    process = start(make_order({**two_classes(), "ants/bad.png": b"x"}))
    last = list(process.events())[-1]
    assert isinstance(last, IntakeRefused)
    assert last.code == "bad_files"
    assert process.process.wait(WAIT_S) == 1
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.json"]


def test_a_wrong_order_is_broken_not_refused(start):
    process = start(b'{"source": "/nowhere"}\n')
    assert list(process.events()) == []
    assert process.process.wait(WAIT_S) == 2
    assert b"Field required" in process.process.stderr.read()


def test_a_disk_that_is_full_is_told_so(start, make_order):
    """A folder where nothing can be written to the end: the kernel's own device."""
    order = make_order(two_classes())
    (order["folder"] / "manifest.json").symlink_to("/dev/full")
    process = start(order)
    last = list(process.events())[-1]
    assert isinstance(last, IntakeRefused)
    assert last.code == "disk_full"
    assert process.process.wait(WAIT_S) == 1


def many(count: int = 2000) -> dict[str, bytes]:
    """Enough to be in the middle of it when something happens; all the same bytes, made once."""
    content = png(1, 32, 32)
    return {f"ants/{number}.png": content for number in range(count)}


@pytest.mark.parametrize("how", ["asked", "orphaned"])
@pytest.mark.parametrize("stage", ["unpacking", "reading"])
def test_it_leaves_with_its_decoders_when_asked_to_stop_or_orphaned(start, make_order, how, stage):
    process = start(make_order(many()))
    process.wait_for_stage(stage)
    decoders = process.below()
    if how == "asked":
        process.process.terminate()
    else:
        process.process.stdin.close()
    assert process.process.wait(WAIT_S) == 143
    _, alive = psutil.wait_procs(decoders, timeout=WAIT_S)
    assert alive == []


def test_an_order_that_never_comes_ends_quietly(start):
    process = start(b'{"half an')
    process.process.stdin.close()
    assert process.process.wait(WAIT_S) == 143


def test_decoders_end_when_the_intake_is_killed(start, make_order):
    process = start(make_order(many()))
    process.wait_for_stage("reading")
    decoders = process.below()
    assert decoders
    process.process.send_signal(signal.SIGKILL)
    process.process.wait(WAIT_S)
    _, alive = psutil.wait_procs(decoders, timeout=WAIT_S)
    assert alive == []


def test_nobody_who_reads_the_events_ends_it_too(start, make_order):
    process = start(make_order(many()))
    process.wait_for_stage("unpacking")
    process.process.stdout.close()
    assert process.process.wait(WAIT_S) == 143


def test_it_leads_a_group_of_its_own_with_limits(start, make_order, eventually):
    process = start(make_order(many()))
    process.wait_for_stage("reading")
    pid = process.process.pid
    assert os.getpgid(pid) == pid
    limits = Path(f"/proc/{pid}/limits").read_text()
    assert next(line for line in limits.splitlines() if "core file" in line).split()[4:6] == ["0", "0"]
    assert next(line for line in limits.splitlines() if "address space" in line).split()[3] == str(8 * 2**30)
    decoders = process.below()
    assert {os.getpgid(decoder.pid) for decoder in decoders} == {pid}
    for decoder in decoders:  # one may still be starting
        eventually(lambda decoder=decoder: decoder.rlimit(psutil.RLIMIT_AS) == (2 * 2**30, 2 * 2**30))
        assert decoder.rlimit(psutil.RLIMIT_NOFILE) == (3, 3)
        assert decoder.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
