"""What a training asks of the scheduler."""

from __future__ import annotations

import pytest

from ml.estimates import Room, useful_threads
from ml.kinds import inspect
from records.specs import parse_spec

GB = 10**9


@pytest.mark.parametrize("kind", ["cpu", "gpu"])
@pytest.mark.parametrize("network", ["lenet5", "resnet20", "dense"])
def test_a_job_asks_for_what_the_advice_says_it_needs(network, kind):
    inspection = inspect(parse_spec({"kind": "train", "dataset": "mnist", "network": {"name": network}}))
    asked = sum(inspection.needs[kind].values())
    answer = inspection.cost.advise([Room("d", kind, 100 * GB)], {})[0]
    assert asked == pytest.approx(answer["needed_bytes"], abs=2)


def test_a_small_step_keeps_one_thread_busy_and_a_large_one_all():
    assert useful_threads(160_000_000) == 1
    assert useful_threads(16 * 10**9) is None
