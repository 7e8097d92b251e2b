"""`python -m ml.engine.refine`: a spec as JSON down standard input, its refined estimate up standard output.

For people who want to know before they submit; the yard itself does not trace (`docs/decisions/0008`).
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from pydantic import TypeAdapter

from ml.engine.quiet import quieten
from ml.estimates import Cost, Peak, Plan
from ml.kinds import inspect
from records.errors import FieldProblem, InvalidSpec, NotFound
from records.library import CatalogueLibrary, DatasetCard, Library, RunCard
from records.specs import FinetuneSpec, TrainSpec, parse_spec
from records.thrift import Thrift


def refine(body: dict[str, Any], library: Library, *, kind: str, threads: int) -> dict[str, Any]:
    """Trace the step of a spec on this machine's CPU, for a device of this kind; of several stages, the largest.

    Raises:
        InvalidSpec: there is no such training.
    """
    spec = parse_spec(body)
    cost = inspect(spec, library).cost
    if cost is None or not isinstance(spec, TrainSpec | FinetuneSpec):
        text = f"Expected a kind that can be traced, train or finetune, got {spec.kind!r}."
        raise InvalidSpec([FieldProblem("kind", text)])
    _check_plain(spec)
    started = time.perf_counter()
    peak = max((_trace(cost, plan, spec, kind, threads) for plan in (*cost.before, cost.plan)), key=_likely)
    return {
        "low_bytes": peak.low,
        "likely_bytes": peak.likely,
        "high_bytes": peak.high,
        "kind": kind,
        "took_s": round(time.perf_counter() - started, 1),
    }


def _check_plain(spec: TrainSpec | FinetuneSpec) -> None:
    for name in ("averaging", *Thrift.model_fields):
        if getattr(spec, name, None) not in (None, False, "float32"):
            text = "Only whole batches of 32-bit numbers are traced. Leave it out; the estimate itself knows it."
            raise InvalidSpec([FieldProblem(name, text)])


def _trace(cost: Cost, plan: Plan, spec: TrainSpec | FinetuneSpec, kind: str, threads: int) -> Peak:
    from ml.engine.tracing import trace_peak

    return trace_peak(
        cost.network,
        batch_size=plan.batch_size,
        optimizer=spec.optimizer,
        data_bytes=cost.data_bytes,
        augmented=plan.augmented,
        frozen=plan.frozen,
        kind=kind,
        threads=threads,
    )


def _likely(peak: Peak) -> int:
    return peak.likely


class ToldLibrary(CatalogueLibrary):
    """The catalogue, and one dataset that was told of.

    Args:
        dataset: `records.library.DatasetCard` as plain data; None where the catalogue has it.
    """

    def __init__(self, dataset: dict[str, Any] | None) -> None:
        self._told = None if dataset is None else TypeAdapter(DatasetCard).validate_python(dataset)

    def dataset(self, ref: str) -> DatasetCard:
        """The one that was told of, by whatever name; else the catalogue's."""
        return self._told or super().dataset(ref)

    def run(self, job_id: int) -> RunCard:
        """Nothing: what jobs kept is the yard's."""
        raise NotFound(
            f"Expected a base that is known without the yard, such as pretrained weights, got job {job_id}. Leave "
            "--refined out: the yard's own estimate knows that job."
        )


def main() -> int:
    """Read, trace, write; 2 with a text on standard error where the spec makes no training."""
    quieten()
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    request = json.load(sys.stdin)
    try:
        library = ToldLibrary(request["dataset"])
        answer = refine(request["spec"], library, kind=request["kind"], threads=request["threads"])
    except InvalidSpec as error:
        print("; ".join(f"{problem.path}: {problem.text}" for problem in error.problems), file=sys.stderr)
        return 2
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
