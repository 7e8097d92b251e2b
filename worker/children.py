"""Child processes, started in one of two ways and then all alike: pipes, a process group, an exit status.

The parent's end of a child's orders stays open for as long as the child shall live: its end of file tells a child
that its parent has died, however that happened.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from contextlib import suppress
from multiprocessing import forkserver, get_context
from multiprocessing.context import ForkServerProcess
from typing import Literal, Protocol

import psutil

from worker.forked import PassedFd, run_forked

log = logging.getLogger("trainyard.children")

_GONE_WITHIN_S = 5.0
_PAUSE_S = 0.1


class _Process(Protocol):
    """The two kinds of handle that Python has for a process, as far as they agree."""

    @property
    def pid(self) -> int: ...

    def status(self) -> int | None: ...


class Child:
    """A running child. Descriptors: write the order to `orders`, read `events` and `log` to their ends."""

    def __init__(self, process: _Process, *, orders: int, events: int, log: int) -> None:
        self.pid = process.pid
        self.orders = orders
        self.events = events
        self.log = log
        self._process = process
        self._status: int | None = None

    def status(self) -> int | None:
        """The exit status, negative for a signal; None while the child runs."""
        if self._status is None:
            self._status = self._process.status()
        return self._status

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the child's whole group; a group that is gone is fine."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            if self.status() is None:  # it has only just been forked, and leads no group yet
                with suppress(ProcessLookupError):
                    os.kill(self.pid, number)

    def end(self) -> int:
        """Kill what is left of the child's group, wait until it is gone, and return the child's exit status."""
        deadline = time.monotonic() + _GONE_WITHIN_S
        while self.status() is None or self._group_lives():
            alive = self._group_lives() or _runs(self.pid)
            if alive and time.monotonic() > deadline:
                log.error("child.stuck pid=%s: it does not die of SIGKILL", self.pid)
                break
            self.signal(signal.SIGKILL)
            time.sleep(0.005)
        with suppress(OSError):
            os.close(self.orders)
        return -signal.SIGKILL if self._status is None else self._status

    def _group_lives(self) -> bool:
        try:
            os.killpg(self.pid, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return True


class ChildSource:
    """Where children come from.

    Args:
        way: `preload` forks from a process that has imported TensorFlow; `spawn` starts a fresh interpreter.
        environment: all that a child gets to see of the environment. For `preload` it must already be the
            environment of this process, because the preloaded process inherits it.
    """

    def __init__(self, way: Literal["preload", "spawn"], environment: Mapping[str, str]) -> None:
        self._way = way
        self.environment = dict(environment)
        self._lock = threading.Lock()
        """Python's process handles may not be polled by two threads at once, and starting one polls them all."""
        self._context = get_context("forkserver")

    def warm_up(self) -> None:
        """Begin to preload; returns at once. Harmless when called again."""
        if self._way == "preload":
            self._context.set_forkserver_preload(["ml.preload", "worker.forked"])
            forkserver.ensure_running()

    def close(self) -> None:
        """End the preloaded process and what Python runs beside it; call it when no child is left."""
        if self._way == "preload":
            helpers = psutil.Process().children()
            for process in helpers:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(helpers, timeout=_GONE_WITHIN_S)

    def start(self, check: Callable[[], None]) -> tuple[Child, str]:
        """Start a child, which waits for its order; also a warning for its log, mostly empty.

        Args:
            check: called while the preloaded process is not ready yet; raises to give up.

        Raises:
            OSError: no process could be started.
        """
        if self._way == "spawn":
            return with_pipes(self._spawn), ""
        try:
            return self._fork_patiently(check), ""
        except (OSError, EOFError) as error:  # the preloaded process died under our hands
            log.warning("child.fork_failed error=%r", error)
            warning = f"Could not fork from the preloaded process ({error!r}); starting a fresh interpreter instead."
            return with_pipes(self._spawn), warning

    def _fork_patiently(self, check: Callable[[], None]) -> Child:
        """Fork in another thread: with the preloaded process just begun it takes seconds, and nothing interrupts it."""
        forked: Future[Child] = Future()
        threading.Thread(target=_fulfil, args=(forked, lambda: with_pipes(self._fork)), daemon=True).start()
        try:
            while not wait([forked], timeout=_PAUSE_S).done:
                check()
        except BaseException:
            forked.add_done_callback(_end_unwanted)
            raise
        return forked.result()

    def _spawn(self, orders: int, events: int, text: int) -> _Process:
        popen = subprocess.Popen(
            [sys.executable, "-u", "-m", "ml", "--events-fd", str(events)],
            stdin=orders,
            stdout=text,
            stderr=text,
            pass_fds=(events,),
            start_new_session=True,
            env=self.environment,
        )
        return Spawned(popen)

    def _fork(self, orders: int, events: int, text: int) -> _Process:
        with self._lock:
            process = self._context.Process(
                target=run_forked, args=(PassedFd(orders), PassedFd(events), PassedFd(text)), daemon=False
            )
            process.start()
        return _Forked(process, self._lock)


class _Start(Protocol):
    def __call__(self, orders: int, events: int, text: int, /) -> _Process: ...


def with_pipes(start: _Start) -> Child:
    """The child that `start` makes, given its ends of three pipes: for its orders, its events and its log."""
    (orders_in, orders), (events, events_out), (text, text_out) = os.pipe(), os.pipe(), os.pipe()
    try:
        process = start(orders_in, events_out, text_out)
    except BaseException:
        for fd in (orders, events, text):
            os.close(fd)
        raise
    finally:
        for fd in (orders_in, events_out, text_out):
            os.close(fd)
    return Child(process, orders=orders, events=events, log=text)


class Spawned:
    """A child that is a fresh interpreter."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen
        self.pid = popen.pid

    def status(self) -> int | None:
        return self._popen.poll()


class _Forked:
    """A child whose parent is the preloaded process, which passes its exit status on."""

    _UNKNOWN = 255
    """What Python says when the preloaded process died before its child."""

    def __init__(self, process: ForkServerProcess, lock: threading.Lock) -> None:
        assert process.pid is not None
        self.pid = process.pid
        self._process = process
        self._lock = lock

    def status(self) -> int | None:
        if not self._lock.acquire(blocking=False):  # another child is being started; ask again soon
            return None
        try:
            status = self._process.exitcode
        finally:
            self._lock.release()
        if status == self._UNKNOWN and _runs(self.pid):
            return None
        return status


def _fulfil(promise: Future[Child], make: Callable[[], Child]) -> None:
    try:
        promise.set_result(make())
    except BaseException as error:
        promise.set_exception(error)


def _end_unwanted(forked: Future[Child]) -> None:
    if forked.exception() is None:
        child = forked.result()
        child.end()
        os.close(child.events)
        os.close(child.log)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
