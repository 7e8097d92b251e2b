"""The record of a run as one JSON file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any


def write_run_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write the record as JSON that any reader takes: numbers that are not finite become null.

    Paths and dates are written as text, numpy's numbers and arrays as plain ones.

    Raises:
        TypeError: a value is of a kind that JSON does not have.
    """
    text = json.dumps(_plain(record), ensure_ascii=False, indent=2, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Path) else value
