"""The warm predictor of a worker: one child that holds models, started when it is asked, and again after it ended."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue

from pydantic import ValidationError

from records.errors import OutOfMemory, PredictorDied, TimeLimitReached, shorten
from records.logs import MAX_LINE_LENGTH
from records.placing.reasons import size_words
from records.questions import Answer, PredictorOrder, Question
from worker.caps import Cap
from worker.cgroup import oom_kills
from worker.children import Child, ChildSource
from worker.endings import signal_name
from worker.lines import as_on_a_terminal, read_lines

log = logging.getLogger("trainyard.predictor")

_LONGEST_ANSWER = 64 << 20
_BEAT_S = 0.2
_LAST_LINES = 20

Beat = Callable[[], None]
"""Called every now and then while there is no answer; raises to give up."""
Stage = Callable[[Path], None]
"""Puts the files of a model into an empty folder."""


class Predictor:
    """Answers questions, one at a time; from whichever thread.

    Args:
        children: where the child comes from.
        order: what the child may use.
        folder: where models lie until they are loaded; nothing else may be there.
        limit_s: time for one question, in seconds.
    """

    def __init__(self, children: ChildSource, order: PredictorOrder, *, folder: Path, limit_s: float) -> None:
        self._children = children
        self._order = order
        self._folder = folder
        self._limit_s = limit_s
        self._lock = threading.Lock()
        self._talk: _Talk | None = None
        self._held: tuple[str, ...] = ()
        self._asked_at = 0.0

    @property
    def pid(self) -> int | None:
        """Process id of the child, if there is one."""
        talk = self._talk
        return talk.child.pid if talk else None

    def ask(self, question: Question, *, stage: Stage, beat: Beat) -> Answer:
        """The answer of the child.

        Whatever goes wrong ends the child: the next question finds a fresh one, and never this one's answer.

        Args:
            question: without the model's files.
            stage: brings them, where the child does not hold the model yet.
            beat: called meanwhile.

        Raises:
            PredictorDied: the child ended over it.
            OutOfMemory: the child held more than it may, crashed for want of it, or was killed by the kernel.
            TimeLimitReached: it took too long.
            Exception: whatever `stage` or `beat` raises.
        """
        with self._lock:
            try:
                return self._ask(question, stage, beat)
            except BaseException:
                self._end()
                raise

    def end_if_idle(self, idle_s: float) -> None:
        """End a child that nobody has asked for so long, or that has died; one that is at work is left alone."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            if self._talk is not None and (self._talk.is_over or time.monotonic() - self._asked_at > idle_s):
                log.info("predictor.ended pid=%s held=%d", self.pid, len(self._held))
                self._end()
        finally:
            self._lock.release()

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._end()

    def _ask(self, question: Question, stage: Stage, beat: Beat) -> Answer:
        talk = self._running(beat)
        files = self._staged(question.model.key, stage)
        try:
            model = question.model.model_copy(update={"files": files})
            answer = talk.ask(question.model_copy(update={"model": model}), beat=beat, limit_s=self._limit_s)
        finally:
            self._asked_at = time.monotonic()
            if files is not None:
                shutil.rmtree(files, ignore_errors=True)
        self._held = answer.held
        return answer

    def _running(self, beat: Beat) -> _Talk:
        if self._talk is not None and self._talk.is_over:
            self._end()
        if self._talk is None:
            child, warning = self._children.start(beat)
            self._talk, self._held = _Talk(child, self._order), ()
            log.info("predictor.started pid=%s %s", child.pid, warning)
        return self._talk

    def _staged(self, key: str, stage: Stage) -> Path | None:
        if key in self._held:
            return None
        files = self._folder / key
        shutil.rmtree(files, ignore_errors=True)
        files.mkdir(parents=True)
        try:
            stage(files)
        except BaseException:
            shutil.rmtree(files, ignore_errors=True)
            raise
        return files

    def _end(self) -> None:
        if self._talk is not None:
            self._talk.end()
            self._talk, self._held = None, ()


class _Talk:
    """A running child, and what it says."""

    def __init__(self, child: Child, order: PredictorOrder) -> None:
        self.child = child
        self._cap = Cap(child.pid, memory_bytes=order.device.memory_bytes, threads=order.device.threads)
        self._last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._kills_before = oom_kills()
        self._status: int | None = None
        self._said: SimpleQueue[bytes | None] = SimpleQueue()
        """Lines; None once there will be no more."""
        self.is_over = False
        """Whether the child has closed its side: it has died, or is about to."""
        self._threads = [
            threading.Thread(target=target, name=f"predictor-{child.pid}-{name}", daemon=True)
            for name, target in (("answers", self._hear), ("log", self._read_log))
        ]
        for thread in self._threads:
            thread.start()
        self._send(order.model_dump_json())

    def ask(self, question: Question, *, beat: Beat, limit_s: float) -> Answer:
        """The answer. Raises what `Predictor.ask` says."""
        deadline = time.monotonic() + limit_s
        self._send(question.model_dump_json())
        while True:
            try:
                line = self._said.get(timeout=_BEAT_S)
            except Empty:
                if self._cap.is_exceeded():
                    raise self._beyond_cap() from None
                if time.monotonic() > deadline:
                    raise TimeLimitReached(
                        f"The predictor took longer than {limit_s:g} s. Send fewer or smaller images."
                    ) from None
                beat()
                continue
            return self._parse(line)

    def end(self) -> int:
        """Kill what is left of the child's group; its exit status. Once only: descriptors are used again by others."""
        if self._status is None:
            self._status = self.child.end()
            for thread in self._threads:
                thread.join()
        return self._status

    def _send(self, line: str) -> None:
        rest = memoryview(line.encode() + b"\n")
        try:
            while rest:
                rest = rest[os.write(self.child.orders, rest) :]
        except BrokenPipeError:
            pass  # it has died, which the end of its answers tells

    def _parse(self, line: bytes | None) -> Answer:
        if line is None:
            raise self._death()
        try:
            return Answer.model_validate_json(line)
        except ValidationError as error:
            said = shorten(line.decode(errors="replace"), 200)
            raise PredictorDied(f"The predictor said what is no answer, and was ended: {said}") from error

    def _death(self) -> OutOfMemory | PredictorDied:
        status = self.end()
        if status == -signal.SIGKILL and oom_kills() > self._kills_before:
            return OutOfMemory("The kernel killed the predictor: the machine had no memory left. Ask again later.")
        if status < 0 and self._cap.explains_crash(self._last_lines):
            return self._beyond_cap()
        how = f"was killed by {signal_name(-status)}" if status < 0 else f"ended with status {status}"
        return PredictorDied(f"The predictor {how} over this question. The next one finds a fresh predictor.")

    def _beyond_cap(self) -> OutOfMemory:
        held, may = size_words(self._cap.most_bytes), size_words(self._cap.memory_bytes)
        return OutOfMemory(
            f"The predictor held {held} over this question, and may hold {may}. Send fewer or smaller images; an "
            "administrator can raise TRAINYARD_PREDICT_MEMORY_BYTES."
        )

    def _hear(self) -> None:
        for line in read_lines(self.child.events, _LONGEST_ANSWER):
            self._said.put(line)
        self.is_over = True
        self._said.put(None)

    def _read_log(self) -> None:
        for line in read_lines(self.child.log, 4 * MAX_LINE_LENGTH):
            if text := as_on_a_terminal(line):
                self._last_lines.append(text)
                log.info("predictor.said pid=%s text=%s", self.child.pid, text)
