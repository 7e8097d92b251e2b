"""What people may ask of a finetuning, and how a mistake is answered."""

from __future__ import annotations

import json

import pytest

from records.errors import InvalidSpec
from records.specs import FinetuneSpec, parse_spec
from records.specs.earlier import EarlierRun

BASE = {"kind": "finetune", "dataset": "ants-bees"}


def problem(**fields) -> tuple[str, str]:
    with pytest.raises(InvalidSpec) as caught:
        parse_spec(BASE | fields)
    (found,) = caught.value.problems
    return found.path, found.text


def test_a_dataset_is_all_that_is_needed():
    spec = parse_spec(BASE)
    assert isinstance(spec, FinetuneSpec)
    assert spec.base.pretrained == "efficientnet_lite0"
    assert spec.base.run is None
    assert spec.augmentation is not None
    assert not spec.augmentation.is_off


def test_a_base_is_a_name_or_a_job():
    assert parse_spec(BASE | {"base": {"job": 3, "weights": "last"}}).base.run == EarlierRun(job=3, weights="last")
    for wrong, came in (({}, "neither"), ({"job": 3, "pretrained": "x"}, "both")):
        path, text = problem(base=wrong)
        assert path == "base"
        assert f"Expected either pretrained or job, got {came}" in text
    assert "weights with a job only" in problem(base={"pretrained": "x", "weights": "last"})[1]


@pytest.mark.parametrize("base", [{"pretrained": "vgg16"}, {"job": 3, "weights": "best"}])
def test_a_base_is_stored_in_the_form_in_which_it_was_sent(base):
    spec = parse_spec(BASE | {"base": base})
    stored = json.loads(spec.model_dump_json())
    assert stored["base"] == base
    assert parse_spec(stored) == spec


def test_some_epoch_is_needed():
    assert "at least one epoch" in problem(epochs=0, head_epochs=0)[1]
    assert parse_spec(BASE | {"epochs": 0}).head_epochs > 0


@pytest.mark.parametrize(
    ("field", "below", "above"),
    [("head_epochs", -1, 10_001), ("epochs", -1, 10_001), ("rate_decay", 0.0, 1.1), ("head_learning_rate", 0.0, 10.1),
     ("learning_rate", 0.0, 10.1), ("label_smoothing", -0.1, 1.0), ("validation_fraction", 0.0, 0.51)],
)  # fmt: skip
def test_numbers_are_refused_outside_their_bounds(field, below, above):
    for value in (below, above):
        assert problem(**{field: value})[0] == field


def test_what_is_on_by_itself_can_be_switched_off():
    spec = parse_spec(BASE | {"augmentation": None, "early_stopping": None})
    assert spec.augmentation is None
    assert spec.early_stopping is None


def test_class_weights_of_zero_alone_are_refused():
    assert "above zero" in problem(class_weights=[0.0, 0.0])[1]
