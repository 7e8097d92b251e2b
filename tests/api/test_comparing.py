"""Jobs side by side."""

from __future__ import annotations

import pytest

from api import views
from api.comparing import compare, direction
from records import attempts, runs
from records.retries import Outcome

TRAIN = {"kind": "train", "dataset": "mnist", "network": {"name": "lenet5"}}


def job(**fields):
    """A job's JSON, as far as a comparison reads it."""
    return {
        "id": 1, "name": "", "kind": "train", "status": "succeeded", "owner": "ada", "tags": [], "cloned_from": None,
        "parameters": 5, "attempts": [], "started_at": None, "finished_at": None, "spec": {}, "summary": {}, **fields,
    }  # fmt: skip


def test_what_differs_is_told_apart_from_what_is_the_same(ada):
    first = ada.post("jobs", {**TRAIN, "learning_rate": 0.01, "name": "a title"}).json["id"]
    second = ada.post("jobs", {**TRAIN, "network": {"name": "dense", "options": {"hidden": [32]}}}).json["id"]
    reply = ada.get(f"jobs/compare?ids={second},{first}")
    assert reply.status_code == 200
    shown = views.Comparison.model_validate(reply.json)
    assert [one.id for one in shown.jobs] == [second, first], "in the order asked for"
    assert {field.path: field.values for field in shown.differs} == {
        "learning_rate": [0.001, 0.01],
        "network.name": ["dense", "lenet5"],
        "network.options.hidden": [[32], None],
    }
    same = {field.path: field.values for field in shown.same}
    assert same["dataset"] == ["mnist", "mnist"]
    assert "name" not in same, "titles stand at the head"


def test_the_best_numbers_are_marked_and_equal_ones_are_not():
    summaries = [
        {"test/accuracy": 0.9, "test/loss": 0.3, "epochs": 4, "best_epoch": 2},
        {"test/accuracy": 0.99, "test/loss": 0.1, "epochs": 9},
        {"test/accuracy": 0.99, "test/loss": None, "epochs": 4},
    ]
    numbers = {row["name"]: row for row in compare([job(summary=one) for one in summaries])["numbers"]}
    assert (numbers["test/accuracy"]["better"], numbers["test/accuracy"]["best"]) == ("higher", [1, 2])
    assert (numbers["test/loss"]["better"], numbers["test/loss"]["best"]) == ("lower", [1])
    assert (numbers["epochs"]["better"], numbers["epochs"]["best"]) == (None, [])
    assert numbers["best_epoch"]["values"] == [2, None, None]
    (only,) = compare([job(summary={"test/accuracy": 0.9})] * 2)["numbers"]
    assert only["best"] == []


def test_a_part_that_one_spec_leaves_out_is_compared_field_by_field():
    specs = [{"augmentation": None, "options": {}}, {"augmentation": {"shift": 0.1, "zoom": 0.0}, "options": {}}]
    shown = compare([job(spec=spec) for spec in specs])
    assert shown["differs"] == [
        {"path": "augmentation.shift", "values": [None, 0.1]},
        {"path": "augmentation.zoom", "values": [None, 0.0]},
    ]
    assert shown["same"] == []


def test_the_layers_of_own_networks_are_compared_one_by_one():
    networks = [{"layers": [{"type": "Flatten"}, {"type": "Dense", "units": units}]} for units in (10, 20)]
    shown = compare([job(spec={"network": network}) for network in networks])
    assert [row["path"] for row in shown["differs"]] == ["network.layers.1.units"]


def test_time_and_memory_come_from_the_attempts(ada, hand, submit_noop, clock):
    job_id, other = submit_noop(), submit_noop()
    for peak, outcome in ((7_000, Outcome.interrupted("Stopped.")), (5_000, None)):
        claim = hand.take_up()
        with hand.database.write() as session:
            attempts.note_child(session, claim.attempt_id, peak_bytes=peak)
            runs.note_run(session, claim.run_id, summary={"test/accuracy": 0.5})
        clock.advance(100)
        hand.end(claim, outcome)
    first, second = ada.get(f"jobs/compare?ids={job_id},{other}").json["jobs"]
    assert (first["peak_bytes"], first["device"]) == (7_000, "w1/cpu:0")
    assert first["ran_s"] > 200
    assert (second["peak_bytes"], second["ran_s"], second["device"]) == (None, None, None)


@pytest.mark.parametrize(
    ("ids", "said"),
    [("", "got 0"), ("1", "got 1"), ("1,1", "got 1"), ("1,x", "'1,x'"), ("1,-2", "'1,-2'"), ("1,²", "numbers of jobs"),
     ("1,2,3,4,5,6,7,8,9,10,11", "got 11"), ("1,99999999999999999999999", "numbers of jobs"),
     ("1," + "0" * 190 + "2", "numbers of jobs")],
)  # fmt: skip
def test_two_to_ten_jobs_are_compared(ada, ids, said):
    reply = ada.get(f"jobs/compare?ids={ids}")
    assert reply.status_code == 400
    assert said in reply.json["detail"]


def test_another_persons_job_is_not_compared(bob, submit_noop):
    mine = bob.post("jobs", {"kind": "noop"}).json["id"]
    assert bob.get(f"jobs/compare?ids={mine},{submit_noop()}").status_code == 404


@pytest.mark.parametrize(
    ("name", "better"),
    [("test/accuracy", "higher"), ("val/loss", "lower"), ("onnx/largest_difference", "lower"), ("epochs", None)],
)
def test_which_way_is_better_follows_from_the_name(name, better):
    assert direction(name) == better
