"""`POST /estimates`, `GET /estimates/accuracy`, and the estimate that is stored with a job."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from api import views
from ml.estimates import FORM
from records.attempts import note_child
from records.runs import note_run
from records.tables import JobTable

SPEC = {"kind": "train", "dataset": "mnist", "network": {"name": "resnet20"}, "batch_size": 64}


def estimate(caller, **fields):
    reply = caller.post("estimates", json={**SPEC, **fields})
    assert reply.status_code == 200, reply.text
    views.FullEstimate.model_validate(reply.json)
    return reply.json


def measure_one(ada, hand, *, share: float, **fields) -> None:
    """A finished job whose peak was this share of its estimate."""
    job = ada.post("jobs", json={**SPEC, **fields}).json
    claim = hand.take_up()
    assert claim.job_id == job["id"]
    with hand.database.write() as session:
        peak = round(job["estimate"]["peak"]["cpu"]["likely_bytes"] * share)
        note_child(session, claim.attempt_id, peak_bytes=peak, resident_bytes=2 * peak)
    hand.end(claim)


def test_an_estimate_queues_nothing_and_tells_each_device(ada, hand):
    found = estimate(ada)
    assert found["parameters"] == {"trainable": 269_434, "fixed": 1_376}
    assert found["optimizer_bytes"] == 2 * found["gradients_bytes"] == 2 * 4 * 269_434
    assert found["steps_per_epoch"] == -(-54_000 // 64)
    (fit,) = found["devices"]
    assert (fit["device"], fit["memory_bytes"]) == ("w1/cpu:0", 1_200_000_000)
    assert fit["needed_bytes"] > found["peak"]["cpu"]["high_bytes"]
    assert ada.get("jobs").json["items"] == []


def test_what_does_not_fit_comes_with_remedies_and_the_largest_batch(ada, hand):
    (fit,) = estimate(ada, batch_size=2048)["devices"]
    assert not fit["fits"]
    assert 64 <= fit["largest_batch"] < 2048
    assert fit["remedies"][0]["change"] == {"batch_size": 1024}
    (fit,) = estimate(ada, batch_size=fit["largest_batch"])["devices"]
    assert fit["largest_batch"] >= 64


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"dataset": "nowhere"}, "dataset"),
        ({"batch_size": 0}, "batch_size"),
        ({"network": {"name": "resnet21"}}, "network.name"),
        ({"network": {"name": "alexnet"}}, "network.name"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_bad_input_has_the_problems_of_a_submitted_job(ada, change, path):
    refused, submitted = (ada.post(where, json={**SPEC, **change}) for where in ("estimates", "jobs"))
    assert refused.status_code == submitted.status_code == 422
    assert refused.json["problems"] == submitted.json["problems"]
    assert path in {problem["path"] for problem in refused.json["problems"]}


def test_an_image_too_small_is_answered_with_the_smallest(ada):
    reply = ada.post("estimates", json={**SPEC, "network": {"name": "alexnet"}})
    assert "at least 64 x 64 px" in reply.text


def test_a_kind_without_an_estimate_says_so(ada):
    reply = ada.post("estimates", json={"kind": "noop"})
    assert reply.status_code == 422
    assert reply.json["problems"][0]["path"] == "kind"


def test_nobody_learns_anything_without_a_token(nobody):
    assert nobody.post("estimates", json=SPEC).status_code == 401
    assert nobody.get("estimates/accuracy").status_code == 401


def test_a_submitted_job_keeps_its_estimate_and_a_noop_has_none(ada, submit_noop):
    job = ada.post("jobs", json=SPEC).json
    assert ada.get(f"jobs/{job['id']}").json["estimate"] == job["estimate"]
    assert job["estimate"]["peak"]["cpu"]["likely_bytes"] > 0
    assert ada.get(f"jobs/{submit_noop()}").json["estimate"] is None


def test_measured_jobs_correct_later_estimates_of_the_same_training(ada, hand):
    before = estimate(ada)["peak"]["cpu"]
    assert (before["factor"], before["corrected_by_jobs"]) == (1.0, 0)
    for share in (1.3, 1.1, 1.2):
        measure_one(ada, hand, share=share, batch_size=32)
    after = estimate(ada)["peak"]["cpu"]
    assert after["factor"] == pytest.approx(1.2, rel=1e-6)
    assert after["corrected_by_jobs"] == 3
    assert after["likely_bytes"] == pytest.approx(1.2 * before["likely_bytes"], rel=1e-6)


def test_other_networks_options_and_optimizers_are_not_corrected_by_it(ada, hand):
    measure_one(ada, hand, share=1.5)
    for change in ({"network": {"name": "resnet32"}}, {"dataset": "fashion_mnist"}, {"optimizer": {"name": "sgd"}}):
        assert estimate(ada, **change)["peak"]["cpu"]["corrected_by_jobs"] == 0
    assert estimate(ada)["peak"]["cpu"]["corrected_by_jobs"] == 1


def test_layers_of_ones_own_are_estimated_and_corrected_by_the_same_layers(ada, hand):
    own, other = ({"layers": [{"type": "Flatten"}, {"type": "Dense", "units": n}, {"type": "Dense", "units": 10}]}
                  for n in (32, 64))  # fmt: skip
    assert estimate(ada, network=own)["peak"]["cpu"]["corrected_by_jobs"] == 0
    measure_one(ada, hand, share=1.5, network=own)
    assert estimate(ada, network=own)["peak"]["cpu"]["corrected_by_jobs"] == 1
    assert estimate(ada, network=other)["peak"]["cpu"]["corrected_by_jobs"] == 0
    assert ada.get("estimates/accuracy").json["items"][0]["network"] == "own layers"


def test_accuracy_lists_estimated_beside_measured_with_the_error(ada, bob, root, hand):
    measure_one(ada, hand, share=0.5)
    measure_one(ada, hand, share=2.0)
    found = ada.get("estimates/accuracy").json
    views.Accuracy.model_validate(found)
    assert [row["error"] for row in found["items"]] == pytest.approx([-0.5, 1.0], rel=1e-6)
    assert found["mean_error"] == pytest.approx(0.75, rel=1e-6)
    assert found["outside_range"] == 2
    assert root.get("estimates/accuracy").json["count"] == 2
    assert bob.get("estimates/accuracy").json["count"] == 0
    assert ada.get("estimates/accuracy?limit=1").json["count"] == 1


def test_past_runs_tell_how_long_an_epoch_takes(ada, hand):
    assert estimate(ada)["epoch"] == []
    job = ada.post("jobs", json=SPEC).json
    claim = hand.take_up()
    with hand.database.write() as session:
        note_run(session, claim.run_id, facts={"steps_s": 20.0}, summary={"epochs": 2})
    hand.end(claim)
    (pace,) = estimate(ada)["epoch"]
    assert job["estimate"]["steps_per_epoch"] == 844
    assert pace == {"device_model": "Test CPU", "epoch_s": pytest.approx(10.0), "jobs": 1}


def test_the_page_says_so_where_nothing_is_measured_and_then_lists_what_is(ada, bob, hand):
    assert "Nothing to compare yet" in ada.get("/estimates").text
    measure_one(ada, hand, share=0.9)
    page = ada.get("/estimates").text
    assert "resnet20 on mnist" in page
    assert "+11.1 %" in page
    assert "Nothing to compare yet" in bob.get("/estimates").text, "somebody else's jobs are not shown"


def test_what_was_estimated_in_another_way_is_not_compared(ada, hand):
    measure_one(ada, hand, share=1.0)
    with hand.database.write() as session:
        job = session.scalars(select(JobTable)).one()
        job.estimate = {**job.estimate, "form": FORM - 1}
    assert ada.get("estimates/accuracy").json["count"] == 0
