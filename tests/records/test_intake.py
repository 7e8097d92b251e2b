"""What is said about people's own images: defaults, bounds, and events as lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from records.intake import (
    IntakeFinished,
    IntakeLimits,
    IntakeOptions,
    IntakeOrder,
    IntakeProgress,
    IntakeRefused,
    Splits,
    parse_intake_event,
)

ORDER = {"source": "/a.zip", "folder": "/out", "pack_prefix": "p3"}


def test_an_order_needs_only_its_paths_and_prefix():
    order = IntakeOrder.model_validate(ORDER)
    assert order.source == Path("/a.zip")
    assert order.parent_manifest is None
    assert order.options == IntakeOptions()
    assert order.limits == IntakeLimits()
    assert (order.options.task, order.options.longest_px, order.options.skip_bad) == ("classification", 1024, False)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pack_prefix", ""),
        ("pack_prefix", "../p"),
        ("pack_prefix", "P1"),
        ("options", {"task": "detection"}),
        ("options", {"longest_px": 8}),
        ("options", {"surprise": 1}),
        ("options", {"labels": ""}),
        ("options", {"task": "segmentation", "labels": "labels.csv"}),
        ("options", {"splits": {"train": 0.5}}),
        ("options", {"splits": {"train": 1.2, "val": -0.1, "test": -0.1}}),
        ("limits", {"processes": 0}),
        ("limits", {"most_ratio": float("nan")}),
    ],
)
def test_what_makes_no_sense_is_refused(field, value):
    with pytest.raises(ValidationError):
        IntakeOrder.model_validate({**ORDER, field: value})


def test_fractions_add_up_to_one():
    with pytest.raises(ValidationError, match=r"add up to 1, got 0\.9"):
        Splits(train=0.7, val=0.1, test=0.1)
    assert Splits(train=0.7, val=0.2, test=0.1).seed == 0
    assert Splits(train=1.0, val=0.0, test=0.0).train == 1


@pytest.mark.parametrize(
    "event",
    [
        IntakeProgress(stage="reading", done=3, of=9),
        IntakeFinished(),
        IntakeRefused(code="bad_files", text="3 files cannot be taken in."),
    ],
)
def test_events_are_lines_and_come_back_as_they_were(event):
    line = event.model_dump_json()
    assert "\n" not in line
    assert parse_intake_event(line) == event


def test_a_line_that_is_no_event_is_an_error():
    with pytest.raises(ValueError, match="event"):
        parse_intake_event('{"event": "surprise"}')
