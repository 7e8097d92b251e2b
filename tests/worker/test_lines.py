"""Lines from a pipe."""

from __future__ import annotations

import os
import threading

import pytest

from worker.lines import as_on_a_terminal, read_lines


def _through_a_pipe(*parts: bytes, longest: int) -> list[bytes]:
    read, write = os.pipe()

    def send() -> None:
        for part in parts:
            os.write(write, part)
        os.close(write)

    thread = threading.Thread(target=send)
    thread.start()
    lines = list(read_lines(read, longest))
    thread.join()
    return lines


def test_lines_come_whole_however_they_were_cut():
    assert _through_a_pipe(b"on", b"e\ntwo\n\nthr", b"ee", longest=100) == [b"one", b"two", b"", b"three"]


def test_a_line_without_end_is_cut_and_the_next_one_is_whole():
    parts = [b"x" * 10_000] * 50
    assert _through_a_pipe(*parts, b"\nnext\n", longest=100) == [b"x" * 100, b"next"]


def test_of_a_long_progress_bar_the_end_is_kept():
    parts = [b"\r%3d %%" % n for n in range(101)]
    (line,) = _through_a_pipe(*parts, b"\n", longest=50)
    assert as_on_a_terminal(line) == "100 %"


@pytest.mark.parametrize(
    ("line", "shown"),
    [(b"plain", "plain"), (b"10 %\r20 %", "20 %"), (b"windows\r", "windows"), (b"\r", ""), (b"caf\xff", "caf\ufffd")],
)
def test_a_line_is_shown_as_on_a_terminal(line, shown):
    assert as_on_a_terminal(line) == shown
