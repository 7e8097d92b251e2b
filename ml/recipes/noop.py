"""The recipe of `kind: noop`: waits, counts and can end badly in every known way, for tests and benchmarks of the yard.

Needs nothing but the standard library and the shared language, so a child that runs it starts in a tenth of a second.
"""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

from ml.reporter import Interruption, Reporter
from records.errors import ChildDied, ResumeImpossible, job_error_class
from records.orders import Order
from records.specs import NoopSpec

_PAGE_BYTES = 4096


def noop(spec: NoopSpec, order: Order, reporter: Reporter) -> dict[str, int]:
    """Count to `spec.steps`. Writes a checkpoint each tenth of the way and when stopped, at last `noop.json`."""
    done = _read_step(order.checkpoint)
    _fail_if_due(spec, order, done)
    filled = bytearray(spec.fill_bytes)
    filled[::_PAGE_BYTES] = b"x" * len(filled[::_PAGE_BYTES])
    reporter.stage("training")
    for step in range(done + 1, spec.steps + 1):
        if reporter.should_stop and not spec.ignore_stop:
            _checkpoint(order.folder, step - 1, reporter)
            raise Interruption(step - 1)
        if spec.step_s:
            time.sleep(spec.step_s) if spec.ignore_stop else reporter.wait(spec.step_s)
        _fail_if_due(spec, order, step)
        reporter.metrics((f"noop/{k}", step, step + k / 10_000) for k in range(spec.points_per_step))
        reporter.progress(step=step, steps=spec.steps, epoch=1, epochs=1)
        if step == done + 1:
            reporter.first_step()
        if step % max(1, spec.steps // 10) == 0:
            _checkpoint(order.folder, step, reporter)
    reporter.stage("reporting")
    record = order.folder / "noop.json"
    record.write_text(json.dumps({"steps": spec.steps, "resumed_from_step": done}))
    reporter.artifact(record, kind="record", media_type="application/json")
    return {"steps": spec.steps, "resumed_from_step": done}


def _fail_if_due(spec: NoopSpec, order: Order, step: int) -> None:
    if spec.fail_at != step or order.attempt_number > spec.fail_attempts:
        return
    if spec.fail_code == ChildDied.code:
        os.kill(os.getpid(), signal.SIGKILL)
    raise job_error_class(spec.fail_code)(f"Failed at step {step}, as the spec asks.")


def _checkpoint(folder: Path, step: int, reporter: Reporter) -> None:
    path = folder / f"checkpoint-{step}.json"
    path.write_text(json.dumps({"step": step}))
    reporter.checkpoint(path, step)


def _read_step(checkpoint: Path | None) -> int:
    if checkpoint is None:
        return 0
    try:
        return int(json.loads(checkpoint.read_bytes())["step"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResumeImpossible(f"Expected a step in {checkpoint.name}, got: {error}. Start the job anew.") from error
