"""Children, however they are started: one order in, events and a log out, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import psutil
import pytest

from records.artifacts import CHECKPOINT
from records.blobs import FolderBlobs
from records.events import Finished, Interrupted
from records.orders import Order, OrderedDevice
from records.settings import child_environment
from records.specs import parse_spec
from tests.waiting import eventually
from tests.worker.process import eventually_gone, gone, kill_preloaded
from worker.children import Child, ChildSource
from worker.listener import Listener

CPU = OrderedDevice(name="cpu:0", kind="cpu", index=0, memory_bytes=2**30, threads=1)


class Notes:
    """Takes what a listener passes on."""

    def __init__(self):
        self.events, self.lines, self.kept = [], [], []

    def take(self, event):
        self.events.append(event)

    def log(self, text, level="info"):
        self.lines.append((level, text))

    def keep(self, kept):
        self.kept.append(kept)


def _order(folder, **fields) -> Order:
    spec = parse_spec({"kind": "noop", **fields}, test_kinds=True).model_dump(mode="json")
    (folder / "out").mkdir()
    return Order(job_id=1, attempt_number=1, spec=spec, device=CPU, folder=folder / "out")


def _never() -> None:
    """Nothing asks to stop."""


def _listen(child, order, folder) -> tuple[Listener, Notes]:
    notes = Notes()
    blobs = FolderBlobs(folder / "blobs")
    return Listener(child, order, recorder=notes, blobs=blobs, stirred=threading.Event()), notes


@pytest.fixture(params=["spawn", pytest.param("preload", marks=pytest.mark.slow)])
def source(request):
    """Both ways to start a child."""
    if request.param == "preload":
        return request.getfixturevalue("preloaded")
    return ChildSource("spawn", child_environment())


def test_a_child_carries_out_its_order(source, tmp_path):
    order = _order(tmp_path, steps=10)
    child, warning = source.start(_never)
    listener, notes = _listen(child, order, tmp_path)
    eventually(lambda: child.status() is not None, within_s=60)
    assert child.end() == 0
    listener.join()
    assert warning == ""
    assert isinstance(listener.last_word, Finished)
    assert [k.step for k in notes.kept if k.kind == CHECKPOINT] == list(range(1, 11))
    assert gone(child.pid)


def test_sigterm_asks_for_a_checkpoint(source, tmp_path):
    child, _ = source.start(_never)
    listener, notes = _listen(child, _order(tmp_path, steps=1000, step_s=0.05), tmp_path)
    eventually(lambda: notes.events, within_s=60)
    child.signal(signal.SIGTERM)
    eventually(lambda: child.status() is not None)
    assert child.end() == 75
    listener.join()
    assert isinstance(listener.last_word, Interrupted)


def test_a_child_leads_a_group_of_its_own_and_ends_with_its_orders(source, tmp_path):
    child, _ = source.start(_never)
    listener, notes = _listen(child, _order(tmp_path, steps=1000, step_s=0.05), tmp_path)
    eventually(lambda: notes.events, within_s=60)
    assert os.getpgid(child.pid) == child.pid
    os.close(child.orders)
    eventually(lambda: child.status() is not None)
    assert child.status() == 1
    listener.join()
    child.orders = os.open(os.devnull, os.O_RDONLY)
    child.end()


def test_the_end_kills_a_child_that_ignores_everything(source, tmp_path):
    child, _ = source.start(_never)
    listener, notes = _listen(child, _order(tmp_path, steps=1000, step_s=0.05, ignore_stop=True), tmp_path)
    eventually(lambda: notes.events, within_s=60)
    child.signal(signal.SIGTERM)
    assert child.end() == -signal.SIGKILL
    listener.join()
    assert gone(child.pid)


@pytest.mark.slow
def test_a_preloaded_process_that_died_is_replaced(preloaded, tmp_path):
    first, _ = preloaded.start(_never)
    first.end()
    os.close(first.events)
    os.close(first.log)
    kill_preloaded()
    child, _ = preloaded.start(_never)
    listener, _ = _listen(child, _order(tmp_path, steps=1), tmp_path)
    eventually(lambda: child.status() is not None, within_s=60)
    assert child.end() == 0
    listener.join()


@pytest.mark.slow
def test_a_child_outlives_the_preloaded_process(preloaded, tmp_path):
    child, _ = preloaded.start(_never)
    listener, notes = _listen(child, _order(tmp_path, steps=40, step_s=0.05), tmp_path)
    eventually(lambda: notes.events, within_s=60)
    kill_preloaded()
    assert child.status() is None
    eventually(lambda: child.status() is not None)
    child.end()
    listener.join()
    assert isinstance(listener.last_word, Finished)


@pytest.mark.slow
def test_waiting_for_the_preloaded_process_can_be_given_up(preloaded):
    class Enough(Exception):
        pass

    def enough():
        raise Enough

    kill_preloaded()
    with pytest.raises(Enough):
        preloaded.start(enough)
    child, _ = preloaded.start(_never)
    child.end()
    os.close(child.events)
    os.close(child.log)


class Script:
    """A child that is any Python program; `EVENTS` in it is the descriptor for events."""

    def __init__(self, code: str) -> None:
        pipes = [os.pipe() for _ in range(3)]
        (orders_in, self.orders), (self.events, events_out), (self.log, log_out) = pipes
        self.popen = subprocess.Popen(
            [sys.executable, "-u", "-c", code.replace("EVENTS", str(events_out))],
            stdin=orders_in,
            stdout=log_out,
            stderr=log_out,
            pass_fds=(events_out,),
            start_new_session=True,
        )
        self.pid = self.popen.pid
        for fd in (orders_in, events_out, log_out):
            os.close(fd)

    def status(self):
        return self.popen.poll()

    def child(self) -> Child:
        return Child(self, orders=self.orders, events=self.events, log=self.log)


def _hear(code, tmp_path) -> tuple[int, Listener, Notes]:
    child = Script(code).child()
    listener, notes = _listen(child, _order(tmp_path), tmp_path)
    eventually(lambda: child.status() is not None, within_s=20)
    status = child.end()
    listener.join()
    return status, listener, notes


def test_nonsense_among_the_events_is_logged_and_does_no_harm(tmp_path):
    code = (
        "import os\nlines = ['garbage', '{}', '{\"event\": \"stage\", \"stage\": \"lunch\"}', '\\x00\\xff'] * 30\n"
        "lines += ['{\"event\": \"finished\", \"summary\": {}}']\nos.write(EVENTS, '\\n'.join(lines).encode() + b'\\n')"
    )
    status, listener, notes = _hear(code, tmp_path)
    assert status == 0
    assert isinstance(listener.last_word, Finished)
    warnings = [text for level, text in notes.lines if level == "warning"]
    assert "garbage" in warnings[0]
    assert 1 < len(warnings) <= 20


def test_what_a_child_prints_is_its_log(tmp_path):
    code = "import sys\nprint('one')\nprint('10 %\\r20 %')\nprint('oh', file=sys.stderr)\nprint('x' * 100_000)"
    _, _, notes = _hear(code, tmp_path)
    assert [text[:10] for _, text in notes.lines] == ["one", "20 %", "oh", "x" * 10]
    assert max(len(text) for _, text in notes.lines) <= 16_000


def test_a_file_outside_the_childs_folder_is_not_taken(tmp_path):
    (tmp_path / "secret").write_text("x")
    event = '{"event": "artifact", "path": "%s", "name": "a", "kind": "k", "media_type": "m"}' % (tmp_path / "secret")
    _, _, notes = _hear(f"import os\nos.write(EVENTS, {event.encode()!r} + b'\\n')", tmp_path)
    assert notes.kept == []
    assert "outside its folder" in notes.lines[0][1]


def test_a_checkpoint_that_was_overtaken_is_passed_over_and_a_lost_artifact_is_not(tmp_path):
    out = tmp_path / "out"
    gone_checkpoint = '{"event": "checkpoint", "path": "%s", "step": 1}' % (out / "c.npz")
    _, listener, notes = _hear(f"import os\nos.write(EVENTS, {gone_checkpoint.encode()!r} + b'\\n')", tmp_path)
    assert (listener.not_stored, notes.kept) == (None, [])


def test_what_a_child_started_ends_with_it(tmp_path):
    code = (
        "import os, subprocess, sys\nslow = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(slow.pid)"
    )
    _, _, notes = _hear(code, tmp_path)
    eventually_gone(int(notes.lines[0][1]))


def test_the_exit_status_names_the_signal(tmp_path):
    status, listener, _ = _hear("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", tmp_path)
    assert status == -signal.SIGSEGV
    assert listener.last_word is None


def test_only_the_given_environment_reaches_a_child(tmp_path, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://:secret@nowhere/0")
    child, _ = ChildSource("spawn", child_environment()).start(_never)
    listener, notes = _listen(child, _order(tmp_path, steps=1000, step_s=0.05), tmp_path)
    eventually(lambda: notes.events, within_s=60)
    assert "REDIS_URL" not in psutil.Process(child.pid).environ()
    child.end()
    listener.join()
