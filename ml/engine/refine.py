"""`python -m ml.engine.refine`: a train spec as JSON down standard input, its refined estimate up standard output.

For people who want to know before they submit; the yard itself does not trace.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from ml.engine.quiet import quieten
from ml.kinds import inspect
from records.errors import FieldProblem, InvalidSpec
from records.specs import TrainSpec, parse_spec


def refine(body: dict[str, Any], *, kind: str, threads: int) -> dict[str, Any]:
    """Trace the step of a spec on this machine's CPU, for a device of this kind.

    Raises:
        InvalidSpec: there is no such training.
    """
    spec = parse_spec(body)
    cost = inspect(spec).cost
    if cost is None or not isinstance(spec, TrainSpec):
        text = f"Expected a kind that can be estimated, such as train, got {spec.kind!r}."
        raise InvalidSpec([FieldProblem("kind", text)])
    started = time.perf_counter()
    from ml.engine.tracing import trace_peak

    peak = trace_peak(
        cost.network,
        batch_size=cost.plan.batch_size,
        optimizer=spec.optimizer,
        data_bytes=cost.data_bytes,
        augmented=cost.plan.augmented,
        kind=kind,
        threads=threads,
    )
    return {
        "low_bytes": peak.low,
        "likely_bytes": peak.likely,
        "high_bytes": peak.high,
        "kind": kind,
        "took_s": round(time.perf_counter() - started, 1),
    }


def main() -> int:
    """Read, trace, write; 2 with a text on standard error where the spec makes no training."""
    quieten()
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    request = json.load(sys.stdin)
    try:
        answer = refine(request["spec"], kind=request["kind"], threads=request["threads"])
    except InvalidSpec as error:
        print("; ".join(f"{problem.path}: {problem.text}" for problem in error.problems), file=sys.stderr)
        return 2
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
