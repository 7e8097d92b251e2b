"""A queue as CSV: who sent what when, how much memory it needed, and how long it ran.

The yard's own columns are `submit_s`, `user`, `memory_bytes` (empty: a whole device), `devices`, `seconds`. Those of
Alibaba's cluster-trace-gpu-v2023 (`openb_pod_list_*.csv`) are read by this mapping:

    submit_s      creation_time
    user          user, where the file has it, else qos: the trace names no people
    memory_bytes  gpu_milli ÷ 1000 of a device's memory; a whole device from 1000 up
    devices       num_gpu
    seconds       deletion_time − scheduled_time, or − creation_time where it has no scheduled_time

Jobs for no device or for several are left out and counted, as a job of this yard has one device.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, TextIO

from records.errors import InvalidRequest, shorten

COLUMNS = ("submit_s", "user", "memory_bytes", "devices", "seconds")
ALIBABA = ("num_gpu", "gpu_milli", "creation_time", "deletion_time")
_MOST_ROWS = 1_000_000


class Entry(NamedTuple):
    """One job of a trace."""

    submit_s: float
    user: str
    memory_bytes: int | None
    """None for a whole device."""
    seconds: float


def read_trace(file: TextIO, *, device_bytes: int) -> tuple[list[Entry], int]:
    """The jobs of a trace by the time they came, and how many rows were left out.

    Args:
        file: CSV with a line of column names.
        device_bytes: memory of a device, for traces that count in parts of one.

    Raises:
        InvalidRequest: the columns are of neither kind, or a row makes no sense; the text says which and why.
    """
    rows = csv.DictReader(file)
    names = set(rows.fieldnames or ())
    if names >= set(ALIBABA):
        found = [_of_alibaba(row, device_bytes) for row in _numbered(rows)]
    elif names >= {"submit_s", "user", "seconds"}:
        found = [_of_ours(row) for row in _numbered(rows)]
    else:
        raise InvalidRequest(
            f"Expected the columns {', '.join(COLUMNS)}, or those of Alibaba's trace ({', '.join(ALIBABA)}); "
            f"got {shorten(', '.join(sorted(names)) or 'none')}."
        )
    kept = [entry for entry in found if entry is not None]
    first = min((entry.submit_s for entry in kept), default=0.0)
    entries = [entry._replace(submit_s=entry.submit_s - first) for entry in kept]
    return sorted(entries, key=lambda entry: entry.submit_s), len(found) - len(kept)


def write_trace(entries: Iterable[Entry], file: TextIO) -> None:
    """Write a trace in the yard's own columns."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for entry in entries:
        memory = "" if entry.memory_bytes is None else entry.memory_bytes
        writer.writerow([f"{entry.submit_s:g}", entry.user, memory, 1, f"{entry.seconds:g}"])


def _numbered(rows: csv.DictReader[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    for number, row in enumerate(rows, start=2):
        if number > _MOST_ROWS:
            raise InvalidRequest(f"Expected at most {_MOST_ROWS:,} rows.")
        yield number, row


def _of_ours(numbered: tuple[int, Mapping[str, str]]) -> Entry | None:
    number, row = numbered
    if row.get("devices") and _number(row, "devices", number) != 1:
        return None
    memory = int(_number(row, "memory_bytes", number)) if row.get("memory_bytes") else None
    return Entry(_number(row, "submit_s", number), row["user"], memory or None, _number(row, "seconds", number))


def _of_alibaba(numbered: tuple[int, Mapping[str, str]], device_bytes: int) -> Entry | None:
    number, row = numbered
    ended, begun = row.get("deletion_time"), row.get("scheduled_time") or row.get("creation_time")
    if not ended or not begun or _number(row, "num_gpu", number) != 1:
        return None
    part = _number(row, "gpu_milli", number) / 1000
    seconds = _number(row, "deletion_time", number) - float(begun)
    if seconds <= 0:
        return None
    user = row.get("user") or row.get("qos") or "everybody"
    return Entry(_number(row, "creation_time", number), user, None if part >= 1 else int(part * device_bytes), seconds)


def _number(row: Mapping[str, str], name: str, line: int) -> float:
    text = row.get(name) or ""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < 1e15:
        raise InvalidRequest(f"Line {line}: expected a number from 0 up as `{name}`, got {shorten(repr(text))}.")
    return value
