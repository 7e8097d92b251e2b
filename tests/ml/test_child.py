"""The child process: an order in, events out, an exit status, and a quick end when asked or orphaned."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml.child import as_job_error, run_forked_child
from ml.engine.checkpoint import read_checkpoint
from records.errors import Diverged
from records.events import INTERRUPTED_EXIT, Artifact, Checkpoint, Event, Failed, Finished, FirstStep, parse_event
from records.orders import Order

MakeOrder = Callable[..., Order]
WAIT_S = 120
"""Until a test gives up; nothing waits so long that goes well."""


class Child:
    """A child as the worker's parent process has it."""

    def __init__(self, order: Order) -> None:
        read_fd, write_fd = os.pipe()
        command = [sys.executable, "-m", "ml", "--events-fd", str(write_fd)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[write_fd], bufsize=0
        )
        os.close(write_fd)
        self.lines = os.fdopen(read_fd, "rb")
        assert self.process.stdin
        self.process.stdin.write(order.model_dump_json().encode() + b"\n")

    def events(self) -> Iterator[Event]:
        for line in self.lines:
            yield parse_event(line)

    def wait_for(self, kind: type) -> Any:
        return next(event for event in self.events() if isinstance(event, kind))

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(WAIT_S)
        self.lines.close()
        for stream in (self.process.stdin, self.process.stderr):
            if stream:
                stream.close()


@pytest.fixture
def start() -> Iterator[Callable[[Order], Child]]:
    """Starts children, and ends those that are left."""
    children: list[Child] = []

    def start_one(order: Order) -> Child:
        children.append(Child(order))
        return children[-1]

    yield start_one
    for child in children:
        child.close()


Start = Callable[[Order], Child]


def test_a_child_reports_what_it_does_and_ends_with_zero(start: Start, make_order: MakeOrder) -> None:
    child = start(make_order({"kind": "noop", "steps": 10}))
    events = list(child.events())
    assert isinstance(events[-1], Finished)
    assert events[-1].summary["steps"] == 10
    assert sum(isinstance(event, FirstStep) for event in events) == 1
    assert [event.name for event in events if isinstance(event, Artifact)] == ["noop.json"]
    assert child.process.wait(WAIT_S) == 0


def test_a_child_leads_a_process_group_of_its_own(start: Start, make_order: MakeOrder) -> None:
    child = start(make_order({"kind": "noop", "steps": 1000, "step_s": 60}))
    child.wait_for(object)
    assert os.getpgid(child.process.pid) == child.process.pid


def test_a_job_error_keeps_its_code(start: Start, make_order: MakeOrder) -> None:
    child = start(make_order({"kind": "noop", "steps": 3, "fail_at": 2, "fail_code": "diverged"}))
    last = list(child.events())[-1]
    assert isinstance(last, Failed)
    assert last.code == "diverged"
    assert child.process.wait(WAIT_S) == 1


def test_only_as_many_attempts_fail_as_the_spec_says(start: Start, make_order: MakeOrder) -> None:
    spec = {"kind": "noop", "steps": 3, "fail_at": 2, "fail_attempts": 1}
    assert isinstance(list(start(make_order(spec, attempt_number=2)).events())[-1], Finished)


def test_a_child_that_crashes_says_nothing(start: Start, make_order: MakeOrder) -> None:
    child = start(make_order({"kind": "noop", "steps": 3, "fail_at": 2, "fail_code": "child_died"}))
    assert not any(isinstance(event, Failed | Finished) for event in child.events())
    assert child.process.wait(WAIT_S) == -signal.SIGKILL


def test_an_unsound_spec_fails_with_its_reason_and_a_traceback_in_the_log(start: Start, make_order: MakeOrder) -> None:
    child = start(make_order({"kind": "noop", "steps": -1}))
    last = list(child.events())[-1]
    assert isinstance(last, Failed)
    assert last.code == "recipe_failed"
    assert "steps" in last.text
    assert child.process.stderr
    assert b"Traceback" in child.process.stderr.read()


def test_sigterm_ends_in_a_checkpoint_from_which_the_next_attempt_goes_on(start: Start, make_order: MakeOrder) -> None:
    spec = {"kind": "noop", "steps": 100_000, "step_s": 0.001}
    child = start(make_order(spec))
    child.wait_for(FirstStep)
    child.process.terminate()
    *others, last = child.events()
    assert last.event == "interrupted"
    assert child.process.wait(WAIT_S) == INTERRUPTED_EXIT
    checkpoint = next(event for event in reversed(others) if isinstance(event, Checkpoint))
    assert checkpoint.step == last.step

    again = make_order(spec | {"steps": checkpoint.step + 1}, checkpoint=checkpoint.path)
    finished = list(start(again).events())[-1]
    assert isinstance(finished, Finished)
    assert finished.summary["resumed_from_step"] == checkpoint.step


def test_a_child_dies_with_its_parent(start: Start, make_order: MakeOrder) -> None:
    child = start(make_order({"kind": "noop", "steps": 1000, "step_s": 60, "ignore_stop": True}))
    child.wait_for(object)
    assert child.process.stdin
    child.process.stdin.close()
    assert child.process.wait(WAIT_S) == 1


def test_a_child_that_nobody_listens_to_ends_quietly(start: Start, make_order: MakeOrder) -> None:
    child = start(make_order({"kind": "noop", "steps": 1_000_000}))
    child.wait_for(FirstStep)
    child.lines.close()
    assert child.process.wait(WAIT_S) == 1
    assert child.process.stderr
    assert child.process.stderr.read() == b""


def test_a_noop_loads_neither_tensorflow_nor_numpy(make_order: MakeOrder) -> None:
    script = (
        "import sys; from ml.child import run_child; status = run_child(0, 1);"
        "sys.exit(status or any(name in sys.modules for name in ('tensorflow', 'keras', 'numpy')))"
    )
    order = make_order({"kind": "noop", "steps": 2})
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin
        assert child.stdout
        child.stdin.write(order.model_dump_json().encode() + b"\n")
        child.stdin.flush()
        assert isinstance(parse_event(child.stdout.read().splitlines()[-1]), Finished)
        assert child.wait(WAIT_S) == 0


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MemoryError(), "out_of_memory"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk_full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "disk_full"),
        (OSError("Can't write data (error message = 'No space left on device')"), "disk_full"),
        (OSError(errno.ENOENT, "No such file"), "recipe_failed"),
        (KeyError("x"), "recipe_failed"),
        (Diverged("x"), "diverged"),
    ],
)
def test_foreign_errors_become_ours_at_the_border(error: Exception, code: str) -> None:
    assert as_job_error(error).code == code


def test_errors_of_tensorflow_are_told_apart() -> None:
    import tensorflow as tf

    def exhausted(text: str) -> Exception:
        return tf.errors.ResourceExhaustedError(None, None, text)

    assert as_job_error(exhausted("OOM when allocating tensor")).code == "out_of_memory"
    assert as_job_error(exhausted("/a/b; No space left on device")).code == "disk_full"


TRAIN = {
    "kind": "train",
    "dataset": "mnist",
    "network": {"name": "lenet5", "options": {"dropout": 0.3}},
    "epochs": 20,
    "batch_size": 8,
    "augmentation": {"shift": 0.1},
}


@pytest.mark.slow
def test_a_training_interrupted_by_sigterm_ends_with_the_same_bits(start: Start, make_order: MakeOrder) -> None:
    def last_checkpoint(child: Child) -> Path:
        return [event.path for event in child.events() if isinstance(event, Checkpoint)][-1]

    child = start(make_order(TRAIN))
    child.wait_for(FirstStep)
    child.process.terminate()
    stopped = last_checkpoint(child)
    assert child.process.wait(WAIT_S) == INTERRUPTED_EXIT

    resumed = start(make_order(TRAIN, checkpoint=stopped))
    resumed_arrays, _ = read_checkpoint(last_checkpoint(resumed))
    whole = start(make_order(TRAIN))
    whole_arrays, _ = read_checkpoint(last_checkpoint(whole))
    assert resumed.process.wait(WAIT_S) == whole.process.wait(WAIT_S) == 0
    assert resumed_arrays.keys() == whole_arrays.keys()
    for name, array in whole_arrays.items():
        assert np.array_equal(array, resumed_arrays[name]), name


@pytest.mark.slow
def test_children_of_a_preloaded_forkserver_train_one_after_the_other(make_order: MakeOrder) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["ml.preload"])
    for _ in range(2):
        order_reader, order_writer = context.Pipe(duplex=False)
        event_reader, event_writer = context.Pipe(duplex=False)
        with order_reader, order_writer, event_reader, event_writer:
            child = context.Process(target=run_forked_child, args=(order_reader, event_writer))
            child.start()
            event_writer.close()
            os.write(order_writer.fileno(), make_order(TRAIN | {"epochs": 1}).model_dump_json().encode() + b"\n")
            with open(event_reader.fileno(), "rb", closefd=False) as lines:
                events = [parse_event(line) for line in lines]
            child.join(WAIT_S)
        assert isinstance(events[-1], Finished)
        assert child.exitcode == 0
