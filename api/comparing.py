"""Jobs side by side: what differs in their specs, and which did best. Pure; takes and gives plain JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

MOST = 10
"""Jobs that can be told apart in one table and by their curves."""
_HIGHER = ("accuracy", "precision", "recall", "f1", "iou", "dice", "agreement")
_LOWER = ("loss", "error", "difference")

Job = Mapping[str, Any]
"""A `views.Job`."""


def compare(jobs: Sequence[Job]) -> dict[str, Any]:
    """A `views.Comparison` of jobs, in this order."""
    fields = [dict(_flat(job["spec"])) for job in jobs]
    paths = _leaves(dict.fromkeys(path for one in fields for path in one if path != "name"))
    rows = [{"path": path, "values": [one.get(path) for one in fields]} for path in paths]
    differs = [row for row in rows if any(value != row["values"][0] for value in row["values"])]
    return {
        "jobs": [_shape(job) for job in jobs],
        "differs": differs,
        "same": [row for row in rows if row not in differs],
        "numbers": _numbers([job["summary"] for job in jobs]),
    }


def direction(name: str) -> Literal["higher", "lower"] | None:
    """Which way a number of a summary is better, by the last part of its name."""
    last = name.rsplit("/", 1)[-1]
    if last.endswith(_HIGHER):
        return "higher"
    return "lower" if last.endswith(_LOWER) else None


def title_of(job: Job) -> str:
    """A job's name, or what its spec says it does."""
    network, dataset = job["spec"].get("network") or {}, job["spec"].get("dataset")
    what = network.get("name", "own network") if network else ""
    return job["name"] or " on ".join(filter(None, [what, dataset])) or job["kind"]


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """A nested value by dotted paths; lists of objects by their places, other lists whole; empty objects not at all."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        for place, inner in enumerate(value):
            yield from _flat(inner, f"{path}.{place}")
    else:
        yield path, value


def _leaves(paths: Iterable[str]) -> list[str]:
    """Without the paths of parts that one spec leaves out as a whole and another one fills."""
    known = list(paths)
    return [path for path in known if not any(other.startswith(f"{path}.") for other in known)]


def _numbers(summaries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    made = []
    for name in dict.fromkeys(name for summary in summaries for name in summary):
        values = [summary.get(name) for summary in summaries]
        better = direction(name)
        made.append({"name": name, "values": values, "better": better, "best": _best(values, better)})
    return made


def _best(values: Sequence[Any], better: str | None) -> list[int]:
    numbers = {place: value for place, value in enumerate(values) if isinstance(value, int | float)}
    if better is None or len(set(numbers.values())) < 2:
        return []
    best = max(numbers.values()) if better == "higher" else min(numbers.values())
    return [place for place, value in numbers.items() if value == best]


def _shape(job: Job) -> dict[str, Any]:
    attempts = job["attempts"]
    peaks = [attempt["peak_bytes"] for attempt in attempts if attempt["peak_bytes"] is not None]
    return {
        "id": job["id"],
        "title": title_of(job),
        "kind": job["kind"],
        "status": job["status"],
        "owner": job["owner"],
        "tags": list(job["tags"]),
        "cloned_from": job["cloned_from"],
        "parameters": job["parameters"],
        "device": f"{attempts[-1]['worker']}/{attempts[-1]['device']}" if attempts else None,
        "ran_s": _seconds(job["started_at"], job["finished_at"]),
        "peak_bytes": max(peaks, default=None),
    }


def _seconds(start: str | None, end: str | None) -> float | None:
    if start is None or end is None:
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
