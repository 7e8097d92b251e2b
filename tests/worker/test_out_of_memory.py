"""Trainings that truly run out of memory, on a worker that lends a small device: nothing here is simulated."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ml.kinds import inspect
from records.jobs import submit
from records.queue import ring_schedule
from records.specs import parse_spec
from records.tables import JobTable

pytestmark = pytest.mark.slow

FOLDERS = [Path(folder) for folder in os.environ.get("TRAINYARD_DATA", "").split(":") if folder]
"""Read here, as tests clear the environment."""

BATCH, IMAGES, EPOCHS = 512, 1024, 2
LAYERS = [{"type": "Conv2D", "filters": 48, "kernel_size": 1, "activation": "relu"} for _ in range(12)]
WIDE: dict[str, Any] = {
    "kind": "train",
    "dataset": "mnist",
    "network": {"layers": [*LAYERS, {"type": "GlobalAveragePooling2D"}, {"type": "Dense", "units": 10}]},
    "batch_size": BATCH,
    "train_examples": IMAGES,
    "epochs": EPOCHS,
    "optimizer": {"name": "sgd"},
    "threads": 1,
}
"""12 layers of 28 × 28 × 48 numbers: 1.8 MB an image, 0.9 GB a batch, and a quarter of a gigabyte beside 0.5 of
TensorFlow's own when it is cut into four."""


@pytest.fixture
def mnist() -> Path:
    """A folder with MNIST, from those of the developer."""
    found = [folder for folder in FOLDERS if (folder / "mnist").is_dir()]
    if not found:
        pytest.skip("needs MNIST in a folder that TRAINYARD_DATA names")
    return found[0]


@pytest.fixture
def train(yard, member, clock):
    """`train(**fields)`: queue the wide training."""

    def submit_one(**fields: Any) -> int:
        spec = parse_spec(WIDE | fields)
        found = inspect(spec)
        with yard.database.write() as session:
            asked = {"demand": found.needs, "threads": 1, "parameters": found.parameters}
            estimate = found.cost.estimate.to_json()
            owner = member.person
            job = submit(
                session, spec, owner_id=owner.id, actor="user:x", at=clock.advance(1), estimate=estimate, **asked
            )
            job_id = job.id
        ring_schedule(yard.bells)
        return job_id

    return submit_one


def rungs(yard, job: JobTable) -> list[str]:
    return [event.text for event in yard.events(job.id) if event.kind == "rung"]


def test_a_training_too_large_for_its_device_goes_down_the_ladder_and_takes_as_many_steps(
    yard, start_worker, train, mnist
):
    start_worker(devices="cpu:0=1GB/1", data=(mnist,))
    job = yard.finished(train(max_retries=0), within_s=400)
    assert job.status == "succeeded", job.reason_text
    attempts = yard.attempts(job.id)
    assert [attempt.reason_code for attempt in attempts] == ["out_of_memory"] * (len(attempts) - 1) + [None]
    assert len(attempts) > 1
    sizes = [BATCH if attempt.thrift is None else attempt.thrift["micro_batch"] for attempt in attempts]
    assert sizes == [BATCH // 2**tried for tried in range(len(attempts))]
    assert len(rungs(yard, job)) == len(attempts) - 1
    assert job.spec["micro_batch"] is None
    steps = EPOCHS * IMAGES // BATCH
    assert max(yard.steps(job.id)) == steps
    run = yard.run(job.id)
    assert run.summary["epochs"] == EPOCHS
    assert run.facts["thrift"]["micro_batch"] == sizes[-1]
    assert run.facts["thrift"]["batch_size"] == BATCH

    again = yard.finished(train(seed=1), within_s=200)
    (only,) = yard.attempts(again.id)
    assert (again.status, only.thrift["micro_batch"]) == ("succeeded", sizes[-1])


def test_a_training_that_fits_on_no_rung_fails_with_what_was_tried_and_what_would_save_most(
    yard, start_worker, train, mnist
):
    start_worker(devices="cpu:0=200MB/1", data=(mnist,))
    job = yard.finished(train(batch_size=4, train_examples=64, epochs=1, micro_batch=2), within_s=500)
    assert (job.status, job.reason_code) == ("failed", "out_of_memory")
    assert "Tried: micro-batches of 2 (2 to a batch of 4); " in job.reason_text
    assert job.reason_text.count("mixed precision") >= 2
    assert job.retries_left == 2
