"""One job on paper: the sheet that `trainyard show` prints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from trainyard.cli import words
from trainyard.cli.output import console, print_pairs, print_table, status_text
from trainyard.results import Attempt, Job, Reason


def print_job(job: Job) -> None:
    """Print it."""
    out = console()
    out.print(f"#{job.id} {job.title}  ", status_text(job.status), sep="")
    print_pairs(_facts(job))
    if job.note:
        out.print("\nNote", style="bold")
        out.print(job.note)
    if job.summary:
        out.print("\nResult", style="bold")
        print_pairs((name, words.value(value)) for name, value in job.summary.items())
    if job.attempts:
        out.print("\nAttempts", style="bold")
        print_table((">#", "STATUS", "DEVICE", "WORKER", "TOOK", "WHY"), map(_attempt, job.attempts), empty="")
    out.print("\nSpec", style="bold")
    print_pairs(_flat(job.spec))


def reason_line(reason: Reason | None) -> str:
    """The sentence with its code."""
    return f"{reason.text or ''} ({reason.code})".strip() if reason else ""


def _facts(job: Job) -> Iterator[tuple[str, Any]]:
    yield "kind", job.kind
    yield "owner", job.owner
    yield "tags", " ".join(job.tags)
    yield "clone of", job.cloned_from
    yield "why", reason_line(job.reason)
    yield "place", job.place_in_queue
    yield "expected start", words.start(job.expected_start)
    if job.status == "running":
        yield "progress", f"{job.progress:.0%}" + (f", {job.live.stage}" if job.live.stage else "")
        yield "time left", words.span(job.time_left_s)
        yield "asked to stop", "yes" if job.cancel_requested else ""
    yield "parameters", f"{job.parameters:,}" if job.parameters else ""
    yield "seen by", f"team {job.team}" if job.team else job.visibility
    yield "submitted", words.ago(job.created_at)
    yield "ran" if job.is_finished else "running for", words.between(job.started_at, job.finished_at)


def _attempt(attempt: Attempt) -> tuple[Any, ...]:
    took = words.between(attempt.started_at, attempt.finished_at)
    why = reason_line(attempt.reason)
    if attempt.thrift:
        why = f"With {attempt.thrift.text}. {why}".strip()
    return attempt.number, status_text(attempt.status), attempt.device, attempt.worker, took, why


def _flat(spec: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested fields by their dotted path, as `--set` takes them."""
    for name, value in spec.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
