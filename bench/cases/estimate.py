"""How far is the estimated peak of a training step from the measured one, and is "it fits" true?

Over the trainings of `bench/trainings.py`, each in a process of its own on the CPU: the instant estimate from the
layers alone (`ml.estimates`), the refined one from the traced step (`ml.engine.tracing`), the peak of the recipe's own
step as TensorFlow's allocator counts it, and the most main memory that the process held, from zero, with an epoch's end
in it. Two lists: the one that constants were chosen on, and one that was held out. Then some of them again, each under
a hard limit on its memory of exactly what the yard says that it needs (`bench/capped.py`): none may die. The lists go
into `bench/estimates.json` and `docs/estimates.md`. Aims: the instant estimate within 8 % on average and 20 % at worst,
the refined one within 4 %, none outside its range, none above what it was said to need.
Also: milliseconds to make and estimate ResNet-152 at 224 pixels, as `POST /estimates` does for a yard with a CPU.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from math import prod
from multiprocessing import get_context
from typing import Any

from bench.baselines import peak_alone
from bench.capped import run_capped
from bench.estimates_list import LISTS, List, Row, read_rows, write_rows
from bench.results import Aim, Figure
from bench.setting import CannotMeasure, Measured, Setting
from bench.statistics import figure
from bench.trainings import FITTED, HELD_OUT, Configuration
from ml.estimates import Plan, Room, Training, estimate_training
from ml.networks import make_network
from records.settings import child_environment

BATCHES_AT_HAND = 4
"""Of `ml.engine.measuring`."""
NONE = Aim(relation="at most", value=0)
CAPPED = (FITTED[0], FITTED[4], FITTED[9], FITTED[19], HELD_OUT[5], HELD_OUT[17], HELD_OUT[22], HELD_OUT[26])
"""Run again under a hard limit: some of each list, small and large, of all four optimizers."""


def measure(setting: Setting) -> Measured:
    """Errors of both estimates, in percent, for both lists; who broke the limit; milliseconds of the instant one."""
    rows: list[Row] = []
    for which, trainings in LISTS.items():
        for one in trainings[: setting.count(len(trainings), 2)]:
            rows.append(_estimated(one, which, {**_alone(peak_alone.measure, one), **_alone(peak_alone.trace, one)}))
            print(f"   {rows[-1].as_line()}", flush=True)
            if not setting.quick:
                write_rows(rows)
    measured = Measured([*error_figures(rows), *_speed_figures(setting)])
    try:
        measured.figures += _capped_figures(CAPPED[: setting.count(len(CAPPED), 1)])
    except CannotMeasure as error:
        measured.notes.append(str(error))
    return measured


def error_figures(rows: Iterable[Row]) -> list[Figure]:
    """What the lists say in a few numbers."""
    figures: list[Figure] = []
    for which, named in (("fitted", "fitted list"), ("held_out", "held out")):
        found = [row for row in rows if row.belongs_to == which]
        if not found:
            continue
        instant = [abs(row.error) * 100 for row in found]
        outside, broken = (float(sum(not good for good in ok)) for ok in zip(*map(_sound, found), strict=True))
        taken = [row.resident_bytes / row.needed_bytes * 100 for row in found]
        figures += [
            figure(f"{named}: trainings", "", [float(len(found))]),
            figure(f"{named}: instant, mean error", "%", [sum(instant) / len(instant)], _at_most(8)),
            figure(f"{named}: instant, worst error", "%", [max(instant)], _at_most(20)),
            figure(f"{named}: instant, outside its range", "", [outside], NONE),
            *_refined_figures(named, [row for row in found if row.traced_bytes]),
            figure(f"{named}: took more than said", "", [broken], NONE),
            figure(f"{named}: taken, of what was said", "%", taken),
        ]
    return figures


def _refined_figures(named: str, rows: list[Row]) -> list[Figure]:
    """Of those that were traced."""
    if not rows:
        return []
    errors = [abs(row.traced_error) * 100 for row in rows]
    return [
        figure(f"{named}: refined, trainings", "", [float(len(rows))]),
        figure(f"{named}: refined, mean error", "%", [sum(errors) / len(errors)], _at_most(4)),
        figure(f"{named}: refined, worst error", "%", [max(errors)]),
        figure(f"{named}: refined, outside its range", "", [float(sum(not row.in_traced_range for row in rows))], NONE),
    ]


def _sound(row: Row) -> tuple[bool, bool]:
    return row.in_range, row.held


def again(*, trace: bool) -> list[Row]:
    """The kept measurements with the instant estimate of today's code; with the refined one too if so wanted."""
    rows = []
    for row in read_rows():
        kept = row.model_dump()
        if trace:
            kept |= _alone(peak_alone.trace, row.configuration)
        rows.append(_estimated(row.configuration, row.belongs_to, kept))
    return rows


def measure_missing(rows: list[Row]) -> None:
    """Measure the trainings of both lists that are not among these rows, or were not traced; keep each at once."""
    found = {_key(row.configuration): row for row in rows}
    for which, trainings in LISTS.items():
        for one in trainings:
            row = found.get(_key(one))
            if row is None or not row.traced_bytes:
                kept = row.model_dump() if row else _alone(peak_alone.measure, one)
                found[_key(one)] = _estimated(one, which, {**kept, **_alone(peak_alone.trace, one)})
                print(f"   {found[_key(one)].as_line()}", flush=True)
                write_rows([found[_key(one)] for some in LISTS.values() for one in some if _key(one) in found])


def needed_by(one: Configuration) -> int:
    """Bytes that the yard says a device must have for a training of `ml.engine.measuring`."""
    return _instant(one)["needed_bytes"]


def _key(one: Configuration) -> str:
    return repr(one)


def _estimated(one: Configuration, which: List, found: dict[str, Any]) -> Row:
    return Row.model_validate({**found, **one._asdict(), "belongs_to": which, **_instant(one)})


def _instant(one: Configuration) -> dict[str, int]:
    network = one.draw()
    data = BATCHES_AT_HAND * one.batch_size * prod(network.input_shape)
    training = Training(network, Plan(one.batch_size, one.optimizer), data_bytes=data)
    peak = training.peak(one.batch_size, kind="cpu")
    needed = Room("here", "cpu", 0).needed(peak.high, training.beside(images_bytes=data))
    return {"low_bytes": peak.low, "likely_bytes": peak.likely, "high_bytes": peak.high, "needed_bytes": needed}


def _alone(function: Callable[..., None], one: Configuration) -> dict[str, Any]:
    """Call a function in a process of its own, forked as a worker forks children."""
    os.environ.update(child_environment())
    context = get_context("forkserver")
    context.set_forkserver_preload(["ml.preload"])
    answers, theirs = context.Pipe(duplex=False)
    process = context.Process(target=function, args=(one, theirs))
    process.start()
    theirs.close()
    answer: dict[str, Any] = answers.recv()
    process.join()
    return answer


def _capped_figures(trainings: Iterable[Configuration]) -> list[Figure]:
    """Trainings under a hard limit: who died, and how far each filled its limit."""
    ended = []
    for one in trainings:
        ended.append(run_capped(one, limit_bytes=needed_by(one)))
        print(f"   {one.network} {one.side} px, {one.optimizer}: {ended[-1]}", flush=True)
    return [
        figure("under a hard limit: trainings", "", [float(len(ended))]),
        figure("under a hard limit: died", "", [float(sum(not run.survived for run in ended))], NONE),
        figure("under a hard limit: used of it", "%", [run.most_bytes / run.limit_bytes * 100 for run in ended]),
    ]


def _speed_figures(setting: Setting) -> list[Figure]:
    times = []
    for _ in range(setting.count(20, 3)):
        started = time.perf_counter()
        plan = Plan(32)
        network = make_network("resnet152", (224, 224, 3), 1000, {})
        training = Training(network, plan, data_bytes=0)
        estimate_training(network, training, plan, images=50_000, kinds=("cpu",))
        times.append((time.perf_counter() - started) * 1000)
    return [figure("ResNet-152 at 224 px, made and estimated", "ms", times, _at_most(50))]


def _at_most(value: float) -> Aim:
    return Aim(relation="at most", value=value)
