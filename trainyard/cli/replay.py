"""`trainyard replay`: what a queue would have been under one policy or another. Needs no yard: it computes here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trainyard.cli.session import JsonFlag, connect

if TYPE_CHECKING:
    from records.placing import Device
    from records.replay import Comparison, Entry


def replay(
    context: typer.Context,
    trace: Annotated[Path | None, typer.Argument(help="A CSV file; without it, the yard's own past jobs.")] = None,
    policy: Annotated[
        list[str] | None, typer.Option(help="first-come, whole-fair or shared; may be repeated; all without.")
    ] = None,
    devices: Annotated[str, typer.Option(help="What there is: 4x24GB, or 2x24GB,1x80GB.")] = "4x24GB",
    example: Annotated[str, typer.Option(help="`class`: a made-up load of a class instead of a file.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="Of the made-up load.")] = 0,
    exact: Annotated[bool, typer.Option("--exact", help="Know durations beforehand; do not learn them.")] = False,
    save: Annotated[Path | None, typer.Option(help="Write the load as CSV, and play nothing.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Play a queue under one policy or several: waits, use of memory, fairness, promises.

    A CSV file has the columns submit_s, user, memory_bytes, devices, seconds, or those of Alibaba's
    cluster-trace-gpu-v2023. `docs/sharing.md` says what each figure means.
    """
    from records.replay import POLICIES, compare, write_trace
    from trainyard.cli.output import print_json

    for name in policy or ():
        if name not in POLICIES:
            raise typer.BadParameter(f"Expected a policy ({', '.join(POLICIES)}), got {name!r}.")
    machines = parse_devices(devices)
    entries, left_out = _entries(context, trace, example=example, seed=seed, device_bytes=machines[0].memory_bytes)
    if save is not None:
        with save.open("w", newline="") as file:
            write_trace(entries, file)
        typer.echo(f"{len(entries)} jobs written to {save}.")
        return
    found = compare(entries, machines, policy or tuple(POLICIES), exact=exact)
    if as_json:
        print_json(as_plain(found, left_out))
    else:
        print_comparison(found, left_out)


def parse_devices(text: str) -> list[Device]:
    """GPUs from `4x24GB` or `2x24GB,1x80GB`.

    Raises:
        BadParameter: the text has another form.
    """
    import re

    from records.placing import Device

    sizes: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,4})x(\d{1,6}(?:\.\d{1,3})?)GB\s*", part)
        if match is None:
            raise typer.BadParameter(f"Expected devices like 4x24GB or 2x24GB,1x80GB, got {text!r}.")
        sizes += [int(float(match[2]) * 10**9)] * int(match[1])
    if not sizes or min(sizes) == 0:
        raise typer.BadParameter(f"Expected at least one device with some memory, got {text!r}.")
    return [Device(n, f"gpu:{n}", "gpu", size, threads=8, slots=8) for n, size in enumerate(sizes)]


def as_plain(found: Comparison, left_out: int) -> dict[str, Any]:
    """A comparison as JSON."""
    from dataclasses import asdict

    return {"jobs": found.jobs, "left_out": left_out, "fit_no_device": found.never} | {
        "policies": {name: asdict(figures) for name, figures in found.figures.items()}
    }


def print_comparison(found: Comparison, left_out: int) -> None:
    """Print it for people: the policies side by side, then each person's waits."""
    from trainyard.cli import words
    from trainyard.cli.output import console, print_table

    columns = ("POLICY", ">MEAN WAIT", ">95 %", ">ALL DONE", ">MEMORY IN USE", ">FAIRNESS", ">PROMISES KEPT")
    rows = [
        (
            name,
            words.span(each.waits.mean_s),
            words.span(each.waits.p95_s),
            words.span(each.makespan_s),
            _percent(each.utilisation),
            "" if each.fairness is None else f"{each.fairness:.2f}",
            f"{_percent(each.kept)} of {each.promises}" if each.promises else "",
        )
        for name, each in found.figures.items()
    ]
    print_table(columns, rows, empty="No policy.")
    console().print()
    _print_people(found)
    for count, what in ((left_out, "for no device or for several"), (found.never, "that fit no device")):
        if count:
            console().print(f"{count} jobs {what} are left out.", style="dim")


def _print_people(found: Comparison) -> None:
    """Mean waits by person, and what the last policy changes against the first."""
    from trainyard.cli import words
    from trainyard.cli.output import print_table

    names = list(found.figures)
    first, last = found.figures[names[0]], found.figures[names[-1]]
    rows = []
    for user, waits in last.by_user.items():
        each = [found.figures[name].by_user[user].mean_s for name in names if user in found.figures[name].by_user]
        rows.append((user, waits.jobs, *map(words.span, each), *_change(first.by_user.get(user), waits, names)))
    changed = (f">{names[-1].upper()} : {names[0].upper()}",) if len(names) > 1 else ()
    columns = ("PERSON", ">JOBS", *(f">{name.upper()}, MEAN WAIT" for name in names), *changed)
    print_table(columns, rows, empty="No jobs.")


def _change(before: Any, after: Any, names: Sequence[str]) -> tuple[str, ...]:
    if len(names) < 2:
        return ()
    return (f"{after.mean_s / before.mean_s:.2f}" if before is not None and before.mean_s else "",)


def _entries(
    context: typer.Context, trace: Path | None, *, example: str, seed: int, device_bytes: int
) -> tuple[list[Entry], int]:
    from records.replay import class_load, read_trace

    if example:
        if example != "class" or trace is not None:
            raise typer.BadParameter("Expected `--example class` without a file, or a file without it.")
        return class_load(seed), 0
    if trace is None:
        return _own_history(context), 0
    try:
        with trace.open(newline="", encoding="utf-8-sig") as file:
            return read_trace(file, device_bytes=device_bytes)
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"Could not read {trace}: {error}") from error


def _own_history(context: typer.Context) -> list[Entry]:
    from records.replay import Entry

    rows = list(connect(context).history())
    if not rows:
        raise typer.BadParameter("This yard has no finished job yet. Name a CSV file, or say --example class.")
    first = min(row.submitted_at for row in rows)
    return [
        Entry((row.submitted_at - first).total_seconds(), row.owner, row.memory_bytes, row.seconds)
        for row in sorted(rows, key=lambda row: (row.submitted_at, row.job_id))
    ]


def _percent(part: float | None) -> str:
    return "" if part is None else f"{part:.0%}"


COMMANDS: dict[str, Callable[..., None]] = {"replay": replay}
