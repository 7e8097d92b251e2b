"""What `trainyard estimate` prints."""

from __future__ import annotations

from ml.estimates import Room
from ml.kinds import inspect
from records.specs import parse_spec
from trainyard.cli.estimates import print_estimate
from trainyard.results import Estimate


def made(memory_bytes: int, *, jobs: int = 0) -> Estimate:
    """The yard's answer for a ResNet-50 with one GPU."""
    spec = {"kind": "train", "dataset": "mnist", "network": {"name": "resnet50"}, "batch_size": 512}
    cost = inspect(parse_spec(spec)).cost
    answer = cost.estimate.to_json()
    for peak in answer["peak"].values():
        peak |= {"factor": 1.0, "corrected_by_jobs": jobs}
    pace = {"device_model": "A GPU", "epoch_s": 125.0, "jobs": 2}
    devices = cost.advise([Room("anna/gpu:0", "gpu", memory_bytes)], {})
    return Estimate.model_validate({**answer, "devices": devices, "epoch": [pace]})


def test_a_job_that_fits_needs_no_advice(capsys):
    print_estimate(made(80 * 10**9, jobs=3))
    printed = capsys.readouterr().out
    assert "23,522,250 trained, 53,120 not" in printed
    assert "corrected by 3 measured jobs" in printed
    assert "2:05 (from 2 jobs)" in printed
    assert "What would help" not in printed


def test_a_job_that_does_not_fit_is_told_what_to_set(capsys):
    print_estimate(made(2 * 10**9))
    printed = capsys.readouterr().out
    assert "What would help on anna/gpu:0" in printed
    assert "--set batch_size=256" in printed
    assert "--set network.name=resnet34" in printed
    assert "not in the yard yet" in printed
