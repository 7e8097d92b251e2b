"""What `trainyard estimate` prints."""

from __future__ import annotations

import pytest
import typer

from ml.estimates import Room
from ml.kinds import inspect
from records.specs import parse_spec
from trainyard.cli.accuracy import print_accuracy
from trainyard.cli.estimates import print_estimate
from trainyard.cli.refining import Refined, refine
from trainyard.results import Accuracy, Estimate


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


def test_a_refined_estimate_stands_below_the_instant_one(capsys):
    print_estimate(made(80 * 10**9), [Refined(900_000_000, 10**9, 1_200_000_000, "gpu", 12.4)])
    assert "refined, on a GPU" in (printed := capsys.readouterr().out)
    assert "1.0 GB (900.0 MB to 1.2 GB, traced in 12 s)" in printed


def test_what_makes_no_training_is_refused_with_its_reason_before_anything_is_traced():
    spec = {"kind": "train", "dataset": "mnist", "network": {"name": "resnet21"}}
    with pytest.raises(typer.BadParameter, match=r"network\.name: No network is called 'resnet21'"):
        refine(spec, kind="cpu")


def test_measured_peaks_are_listed_with_their_errors(capsys):
    item = {
        "job_id": 7, "attempt": 2, "network": "lenet5", "dataset": "mnist", "batch_size": 128, "optimizer": "adam",
        "device_model": "A CPU", "low_bytes": 50_000_000, "likely_bytes": 60_000_000, "high_bytes": 70_000_000,
        "measured_bytes": 80_000_000, "error": -0.25, "in_range": False,
    }  # fmt: skip
    found = {"count": 1, "mean_error": 0.25, "worst_error": 0.25, "outside_range": 1, "items": [item]}
    print_accuracy(Accuracy.model_validate(found))
    printed = capsys.readouterr().out
    assert "7.2" in printed
    assert "50.0 MB – 70.0 MB" in printed
    assert "-25.0% outside" in printed
    assert "1 of 1" in printed


def test_where_nothing_is_measured_it_says_so(capsys):
    print_accuracy(Accuracy(count=0))
    assert "No training has measured its peak yet" in capsys.readouterr().out
