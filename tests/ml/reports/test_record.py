"""The record of a run as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from ml.reports import write_run_json


def test_a_record_is_written_as_plain_json(tmp_path):
    record = {
        "seed": 3,
        "device": {"name": "cpu:0"},
        "counts": (np.int64(5), np.array([1, 2])),
        "loss": np.float32("nan"),
        "best": float("inf"),
        "started": datetime(2026, 11, 23, tzinfo=UTC),
        "folder": Path("a/b"),
        "title": "Größe",
        "ok": True,
        "note": None,
    }
    write_run_json(tmp_path / "run.json", record)
    text = (tmp_path / "run.json").read_text(encoding="utf-8")
    assert "Größe" in text
    assert json.loads(text) == {
        "seed": 3,
        "device": {"name": "cpu:0"},
        "counts": [5, [1, 2]],
        "loss": None,
        "best": None,
        "started": "2026-11-23T00:00:00+00:00",
        "folder": "a/b",
        "title": "Größe",
        "ok": True,
        "note": None,
    }


def test_what_json_does_not_have_is_refused(tmp_path):
    with pytest.raises(TypeError, match="not JSON serializable"):
        write_run_json(tmp_path / "run.json", {"model": object()})
