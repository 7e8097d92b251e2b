"""Jobs that need more than any device has: they are placed on a whole one, to be adapted to it, or wait."""

from __future__ import annotations

import pytest

from records import jobs
from records.specs import parse_spec

GPU_BYTES = 8 * 10**9
SPEC = {"kind": "train", "dataset": "mnist", "network": {"name": "lenet5"}}


def submit(yard, peak_bytes: int, **fields) -> int:
    demand = {kind: {"runtime_bytes": 0, "peak_bytes": peak_bytes} for kind in ("cpu", "gpu")}
    with yard.database.write() as session:
        args = {"owner_id": yard.owner_id, "actor": "user:grace", "parameters": 0, "at": yard.clock()}
        return jobs.submit(session, parse_spec(SPEC | fields), demand=demand, **args).id


@pytest.mark.parametrize(
    ("peak_bytes", "on_oom", "lent"),
    [
        (GPU_BYTES // 4, "adapt", GPU_BYTES // 4),
        (GPU_BYTES, "adapt", GPU_BYTES),
        (2 * GPU_BYTES, "adapt", GPU_BYTES),
        (2 * GPU_BYTES, "fail", None),
    ],
)
def test_what_a_job_is_lent_that_may_be_too_large(yard, peak_bytes, on_oom, lent):
    yard.register()
    job_id = submit(yard, peak_bytes, on_oom=on_oom)
    yard.run_pass()
    found = [attempt.memory_bytes for attempt in yard.attempts(job_id)]
    assert found == ([] if lent is None else [lent])
