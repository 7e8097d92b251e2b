"""JSON Schema as a form, and rows in words."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from api.pages import words
from api.pages.forms import Choice, Field, Group, Node, Optional, label, make_form, show
from ml.networks import NETWORKS
from records.specs import SPECS


def every_path(nodes: list[Node]) -> set[str]:
    """The paths of all fields below these nodes."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, Field):
            found.add(node.path)
        elif isinstance(node, Optional | Group):
            found |= every_path(list(node.fields))
        elif isinstance(node, Choice):
            found.add(f"{node.path}.{node.tag}")
            found |= every_path([f for variant in node.variants for f in variant.fields])
    return found


def every_leaf(value: object, path: str = "") -> set[str]:
    """The paths of all values of a spec."""
    if isinstance(value, dict) and value:
        return set().union(*(every_leaf(v, f"{path}.{k}" if path else k) for k, v in value.items()))
    return {path}


REQUIRED = {
    "train": {"dataset": "mnist", "network": {"name": "lenet5"}},
    "finetune": {"dataset": "mnist"},
    "segment": {"dataset": "mnist"},
    "convolutionalise": {"run": {"job": 1}},
    "predict": {"run": {"job": 1}, "dataset": "mnist"},
    "evaluate": {"runs": [{"job": 1}]},
    "export": {"run": 1},
    "style_transfer": {"content": 1, "styles": [{"picture": 2}]},
}
"""What each kind's spec cannot do without."""


@pytest.mark.parametrize("kind", SPECS)
def test_every_field_of_every_kind_has_its_place(kind: str) -> None:
    networks = {name: network.describe_options() for name, network in NETWORKS.items()}
    form = make_form(SPECS[kind].model_json_schema(), datasets=["mnist"], networks=networks)
    shown = every_path([*form.main, *form.more, *form.yard])
    spec = SPECS[kind].model_validate({"kind": kind, **REQUIRED.get(kind, {})}).model_dump(mode="json")
    parts = {
        "kind",
        "method",
        "network.options",
        "base",
        "augmentation",
        "early_stopping",
        "averaging",
        "test_time_augmentation",
    }
    parts |= {f"augmentation.{name}" for name in ("elastic", "erase", "randaugment")}
    assert every_leaf(spec) - parts <= shown


def test_a_choice_that_may_be_absent_offers_none_first() -> None:
    form = make_form(SPECS["train"].model_json_schema(), datasets=["mnist"], networks={})
    (averaging,) = (node for node in form.more if node.path == "averaging")
    assert isinstance(averaging, Choice)
    assert [variant.name for variant in averaging.variants] == ["", "ema", "swa"]
    assert averaging.default == ""
    assert "average of the weights" in averaging.help


def test_a_dataset_that_may_be_left_out_is_not_chosen_for_anybody() -> None:
    form = make_form(SPECS["evaluate"].model_json_schema(), datasets=["mnist"], networks={})
    (dataset,) = (node for node in [*form.main, *form.more] if node.path == "dataset")
    assert isinstance(dataset, Field)
    assert (dataset.type, dataset.default, dataset.required) == ("string", None, False)


def test_a_part_that_is_on_where_nothing_is_said_shows_what_it_then_holds() -> None:
    form = make_form(SPECS["finetune"].model_json_schema(), datasets=["mnist"], networks={})
    (augmentation,) = (node for node in form.more if node.path == "augmentation")
    assert isinstance(augmentation, Optional)
    assert augmentation.is_on
    held = {node.path: node for node in augmentation.fields}
    assert isinstance(flip := held["augmentation.flip"], Field)
    assert (flip.default, flip.explicit) == ("horizontal", True)
    assert isinstance(zoom := held["augmentation.zoom"], Field)
    assert (zoom.default, zoom.explicit) == (0.0, False)
    assert isinstance(crop := held["augmentation.crop"], Optional)
    assert crop.is_on
    assert isinstance(other := held["augmentation.randaugment"], Optional)
    assert not other.is_on


def test_a_choice_of_several_is_a_set_of_boxes() -> None:
    form = make_form(SPECS["export"].model_json_schema(), datasets=[], networks={})
    (formats,) = (node for node in form.main if node.path == "formats")
    assert isinstance(formats, Field)
    assert (formats.widget, formats.choices) == ("boxes", ["keras", "savedmodel", "tflite", "onnx"])
    assert formats.default == ["onnx"]


def test_ids_are_unique_though_variants_share_paths() -> None:
    form = make_form(SPECS["train"].model_json_schema(), datasets=["mnist"], networks={})
    optimizer = next(node for node in form.main if node.path == "optimizer")
    assert isinstance(optimizer, Choice)
    fields = [f for variant in optimizer.variants for f in variant.fields]
    assert len({f.id for f in fields}) == len(fields) > len({f.path for f in fields})


@pytest.mark.parametrize(
    ("value", "shown"), [(None, ""), (True, "true"), (1e-7, "1e-07"), (60.0, "60"), ([512, 512], "512, 512"), ("", "")]
)
def test_defaults_are_shown_as_one_would_type_them(value: object, shown: str) -> None:
    assert show(value) == shown


def test_names_of_pictures_become_words() -> None:
    assert words.picture_words("learning-curves.png") == "Learning curves"


def test_labels_spell_units_out() -> None:
    assert label("checkpoint_every_s") == "Checkpoint every, seconds"
    assert label("augmentation.rotate_degrees") == "Rotate, degrees"
    assert label("optimizer.beta_1") == "Beta 1"


@pytest.mark.parametrize(
    ("number", "text"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (22, "22nd")]
)
def test_places_are_ordinals(number: int, text: str) -> None:
    assert words.ordinal(number) == text


def test_markup_in_what_people_write_stays_text() -> None:
    assert words.code_words("`a` <b>") == "<code>a</code> &lt;b&gt;"


def test_a_spec_is_shown_with_one_row_a_field() -> None:
    spec = {
        "network": {"name": "lenet5", "options": {}},
        "schedule": {"name": "cosine", "final_fraction": 0.0},
        "x": None,
    }
    assert list(words.spec_rows(spec)) == [("network", "lenet5"), ("schedule", "cosine · final_fraction 0"), ("x", "–")]


def test_events_are_told_as_sentences() -> None:
    moved = SimpleNamespace(from_status="running", to_status="failed", text="It diverged.", kind="moved")
    assert words.event_words(moved) == "running → failed: It diverged."
    assert words.event_words(SimpleNamespace(from_status=None, to_status=None, text="", kind="cancel_requested")) == (
        "Cancel requested"
    )
