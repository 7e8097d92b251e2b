"""Processes that work a little at a time, each when it is told to: to compare two of them in short turns."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import IO, Any

from records.settings import child_environment


class Worker:
    """A process `python -m module`, which answers a request with facts and then each turn with its seconds.

    Args:
        module: calls `serve` when it is run.
        request: goes to it as JSON.
    """

    def __init__(self, module: str, request: Mapping[str, Any]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=child_environment(),
            text=True,
        )
        self.facts: dict[str, Any] = self._ask(request)

    def turn(self) -> float:
        """Let it work for a turn; how long that took, in seconds."""
        return float(self._ask({})["took_s"])

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args} ended with {self._process.wait()}.")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.terminate()
        self._process.wait()


def serve(
    begin: Callable[[dict[str, Any]], tuple[dict[str, Any], Callable[[], float]]], lines: IO[str], out: IO[str]
) -> None:
    """Answer a `Worker`: begin with its request, then take turns until it has heard enough.

    Args:
        begin: makes facts, and the function that works for a turn and says how long it took, in seconds.
        lines: what comes down.
        out: where answers go.
    """
    facts, turn = begin(json.loads(lines.readline()))
    print(json.dumps(facts), file=out, flush=True)
    for _ in lines:
        print(json.dumps({"took_s": turn()}), file=out, flush=True)
