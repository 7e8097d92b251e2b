"""What a recipe says becomes whole lines, not too many of them."""

from __future__ import annotations

import math
import os
import threading

import pytest

from ml.reporter import PipeClosed, PipeWriter, Reporter
from records.events import Event, Log, Metrics, Progress, parse_event


def test_progress_is_sent_a_few_times_a_second_and_always_at_the_end() -> None:
    now, events = [0.0], list[Event]()
    reporter = Reporter(events.append, progress_every_s=0.25, clock=lambda: now[0])
    for step in range(1, 11):
        reporter.progress(step=step, steps=10, epoch=1, epochs=1)
        now[0] += 0.0625
    assert [event.step for event in events if isinstance(event, Progress)] == [1, 5, 9, 10]


def test_a_value_that_is_not_finite_is_recorded_as_missing() -> None:
    events = list[Event]()
    Reporter(events.append).metrics([("train/loss", 1, math.nan), ("train/loss", 2, 0.5)])
    assert isinstance(events[0], Metrics)
    assert [point.value for point in events[0].points] == [None, 0.5]


def test_no_points_make_no_event() -> None:
    events = list[Event]()
    Reporter(events.append).metrics([])
    assert events == []


def test_a_long_text_is_cut_so_that_the_event_is_sound() -> None:
    events = list[Event]()
    Reporter(events.append).log("x" * 20_000)
    assert isinstance(events[0], Log)
    assert len(events[0].text) == 10_000


def test_lines_of_many_threads_stay_whole() -> None:
    read_fd, write_fd = os.pipe()
    writer = PipeWriter(write_fd)
    texts = [letter * 9_000 for letter in "abcd"]
    threads = [threading.Thread(target=lambda t=t: [writer(Log(text=t)) for _ in range(20)]) for t in texts]
    for thread in threads:
        thread.start()
    with os.fdopen(read_fd, "rb") as lines:
        read = [parse_event(next(lines)) for _ in range(80)]
    for thread in threads:
        thread.join()
    os.close(write_fd)
    assert sorted(event.text for event in read if isinstance(event, Log)) == sorted(texts * 20)


def test_a_reader_that_went_away_is_noticed() -> None:
    read_fd, write_fd = os.pipe()
    os.close(read_fd)
    with pytest.raises(PipeClosed):
        PipeWriter(write_fd)(Log(text="x"))
    os.close(write_fd)
