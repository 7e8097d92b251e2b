"""Event files, read back by TensorBoard itself."""

from __future__ import annotations

import math

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ml.reports import ScalarWriter


def scalars(folder, name):
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return [(event.step, event.value, event.wall_time) for event in accumulator.Scalars(name)]


def test_scalars_are_read_back_as_they_were_written(tmp_path):
    with ScalarWriter(tmp_path / "events", started_at_s=1_000.5) as writer:
        writer.write("train/loss", 0.5, step=1, at_s=1_001.25)
        writer.write("train/loss", 0.25, step=2, at_s=1_002.5)
        writer.write("val/accuracy", 0.75, step=2, at_s=1_002.5)
    assert scalars(tmp_path / "events", "train/loss") == [(1, 0.5, 1_001.25), (2, 0.25, 1_002.5)]
    assert scalars(tmp_path / "events", "val/accuracy") == [(2, 0.75, 1_002.5)]


def test_what_was_flushed_is_seen_before_the_file_is_closed(tmp_path):
    with ScalarWriter(tmp_path, started_at_s=1_000.0) as writer:
        writer.write("loss", 0.5, step=1, at_s=1_001.0)
        writer.flush()
        assert len(scalars(tmp_path, "loss")) == 1


def test_a_value_that_is_not_finite_is_a_gap(tmp_path):
    with ScalarWriter(tmp_path, started_at_s=1_000.0) as writer:
        writer.write("loss", None, step=1, at_s=1_001.0)
    assert math.isnan(scalars(tmp_path, "loss")[0][1])


def test_a_resumed_run_adds_a_file_and_both_are_read(tmp_path):
    for step in (1, 2):
        with ScalarWriter(tmp_path, started_at_s=1_000.0) as writer:
            writer.write("loss", 1 / step, step=step, at_s=1_000.0 + step)
    assert len(list(tmp_path.iterdir())) == 2
    assert [(step, value) for step, value, _ in scalars(tmp_path, "loss")] == [(1, 1.0), (2, pytest.approx(0.5))]
