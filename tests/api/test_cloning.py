"""Clones: another's spec with a few fields changed."""

from __future__ import annotations

import pytest

from api.cloning import changed_spec
from records.errors import InvalidSpec

TRAIN = {
    "kind": "train",
    "dataset": "mnist",
    "network": {"name": "lenet5", "options": {"activation": "tanh"}},
    "augmentation": {"shift": 0.1},
}


@pytest.fixture
def trained(ada):
    """A job of ada's that waits."""
    return ada.post("jobs", TRAIN).json


def test_a_clone_differs_in_what_was_changed_and_knows_where_it_comes_from(ada, trained):
    changes = {
        "learning_rate": 0.01,
        "network.options.dropout": 0.5,
        "augmentation": None,
        "early_stopping.patience": 3,
    }
    reply = ada.post(f"jobs/{trained['id']}/clone", {"changes": changes})
    assert reply.status_code == 202
    assert reply.json["cloned_from"] == trained["id"]
    assert ada.get(reply.headers["Location"]).json == reply.json
    spec = reply.json["spec"]
    assert spec["network"]["options"] == {"activation": "tanh", "dropout": 0.5}
    assert (spec["learning_rate"], spec["augmentation"], spec["early_stopping"]["patience"]) == (0.01, None, 3)
    same = {name: value for name, value in spec.items() if name not in {p.split(".")[0] for p in changes}}
    assert same == {name: value for name, value in trained["spec"].items() if name in same}


def test_without_changes_it_is_the_same_once_more(ada, trained):
    reply = ada.post(f"jobs/{trained['id']}/clone", {})
    assert (reply.json["spec"], reply.json["id"]) == (trained["spec"], trained["id"] + 1)
    assert trained["cloned_from"] is None


def test_a_job_sent_from_the_form_says_whose_clone_it_is(ada, bob, trained):
    assert ada.post(f"jobs?clone_of={trained['id']}", TRAIN).json["cloned_from"] == trained["id"]
    for origin in (trained["id"], 999):
        assert bob.post(f"jobs?clone_of={origin}", TRAIN).status_code == 404
    assert ada.post("jobs?clone_of=x", TRAIN).status_code == 400


def test_another_persons_job_cannot_be_cloned(bob, trained):
    assert bob.post(f"jobs/{trained['id']}/clone", {}).status_code == 404


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"epochs": 0}, "epochs"),
        ({"colour": 1}, "colour"),
        ({"epochs.x": 1}, "epochs.x"),
        ({"dataset": None}, "dataset"),
        ({"network.name": "lenet"}, "network.name"),
    ],
)
def test_a_change_that_makes_no_sense_is_named(ada, trained, changes, path):
    reply = ada.post(f"jobs/{trained['id']}/clone", {"changes": changes})
    assert (reply.status_code, [p["path"] for p in reply.json["problems"]]) == (422, [path])


def test_the_same_key_makes_one_clone(ada, trained):
    where, body = f"jobs/{trained['id']}/clone", {"changes": {"epochs": 2}}
    first, again = (ada.post(where, body, Idempotency_Key="k") for _ in range(2))
    assert first.json["id"] == again.json["id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    other = ada.post("jobs", TRAIN).json["id"]
    assert ada.post(f"jobs/{other}/clone", body, Idempotency_Key="k").json["code"] == "idempotency_key_reused"


def test_changing_leaves_the_other_spec_alone():
    spec = {"a": {"b": [1]}, "c": None}
    made = changed_spec(spec, {"a.b": [2], "a.d.e": 1, "c.x": 1})
    assert made == {"a": {"b": [2], "d": {"e": 1}}, "c": {"x": 1}}
    assert spec == {"a": {"b": [1]}, "c": None}
    with pytest.raises(InvalidSpec, match="no fields"):
        changed_spec(spec, {"a.b.c": 1})
