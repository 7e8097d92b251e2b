"""What people may ask for, and how a mistake is answered."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.errors import InvalidSpec, NotJson
from records.specs import SPECS, TrainSpec, parse_spec
from records.specs.augmentation import Augmentation, Crop, Elastic, Erase, RandAugment
from records.specs.images import sides_of
from records.specs.train import EMA, SGD, SWA, Adam, AdamW, Constant, Cosine, Exponential, OneCycle, Plateau

BASE: dict[str, Any] = {"kind": "train", "dataset": "mnist", "network": {"name": "lenet5"}}
STYLE = {"kind": "style_transfer", "content": 1, "styles": [{"picture": 2}]}


def problems(body, **options):
    with pytest.raises(InvalidSpec) as caught:
        parse_spec(body, **options)
    return {problem.path: problem.text for problem in caught.value.problems}


# field, the last value below, the first and last value inside, the first value above; None: no such bound
BOUNDS = [
    ("priority", -101, -100, 100, 101),
    ("max_retries", -1, 0, 10, 11),
    ("time_limit_s", 0, 1, 2_592_000, 2_592_001),
    ("epochs", 0, 1, 10_000, 10_001),
    ("batch_size", 0, 1, 65_536, 65_537),
    ("seed", -1, 0, 2**31 - 1, 2**31),
    ("learning_rate", 0.0, 1e-9, 10.0, 10.1),
    ("validation_fraction", 0.0, 1e-6, 0.5, 0.51),
    ("train_examples", 0, 1, 10_000_000, 10_000_001),
    ("checkpoint_every_s", -0.1, 0.0, 86_400.0, 86_401.0),
    ("optimizer.momentum", -0.1, 0.0, 0.999, 1.0),
    ("schedule.warmup_fraction", -0.1, 0.0, 0.9, 0.91),
    ("augmentation.shift", -0.1, 0.0, 0.5, 0.51),
    ("augmentation.rotate_degrees", -1.0, 0.0, 180.0, 181.0),
    ("augmentation.zoom", -0.1, 0.0, 0.5, 0.51),
    ("augmentation.brightness", -0.1, 0.0, 1.0, 1.1),
    ("augmentation.contrast", -0.1, 0.0, 1.0, 1.1),
    ("augmentation.saturation", -0.1, 0.0, 1.0, 1.1),
    ("augmentation.hue_degrees", -1.0, 0.0, 180.0, 181.0),
    ("augmentation.mixup", -0.1, 0.0, 10.0, 10.1),
    ("augmentation.cutmix", -0.1, 0.0, 10.0, 10.1),
    ("split_seed", -1, 0, 2**31 - 1, 2**31),
    ("label_smoothing", -0.1, 0.0, 0.999, 1.0),
    ("early_stopping.patience", 0, 1, 1000, 1001),
]
PARENTS = {"optimizer": {"name": "sgd"}, "schedule": {"name": "cosine"}}


def with_field(path, value):
    *parents, name = path.split(".")
    body = dict(BASE)
    if not parents:
        return {**body, name: value}
    return {**body, parents[0]: {**PARENTS.get(parents[0], {}), name: value}}


@pytest.mark.parametrize(("path", "below", "first", "last", "above"), BOUNDS)
def test_every_number_is_taken_within_its_bounds_and_refused_outside(path, below, first, last, above):
    for good in (first, last):
        assert parse_spec(with_field(path, good))
    for bad in (below, above):
        (where,) = problems(with_field(path, bad))
        assert where.split(".")[-1] == path.split(".")[-1]


@pytest.mark.parametrize("path", [bound[0] for bound in BOUNDS])
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf"), "4", True, None, [], {}])
def test_a_number_field_takes_numbers_only(path, bad):
    if bad is None and path in ("train_examples", "split_seed"):
        return
    assert [where.split(".")[-1] for where in problems(with_field(path, bad))] == [path.split(".")[-1]]


@pytest.mark.parametrize(
    ("body", "path", "part"),
    [
        ({**BASE, "epoch": 3}, "epoch", "Unknown field"),
        ({**BASE, "network": {"name": "lenet5", "option": 1}}, "network.option", "Unknown field"),
        ({**BASE, "schedule": {"name": "cosine", "warmup": 3}}, "schedule.cosine.warmup", "Unknown field"),
        ({**BASE, "schedule": {"name": "cosinus"}}, "schedule", "'cosine'"),
        ({**BASE, "augmentation": {"elastic": {"strength": 0}}}, "augmentation.elastic.strength", "greater than 0"),
        ({**BASE, "augmentation": {"elastic": {"points": 1}}}, "augmentation.elastic.points", "equal to 2"),
        ({**BASE, "augmentation": {"erase": {"area": [0.5, 0.1]}}}, "augmentation.erase.area", "smaller number first"),
        ({**BASE, "augmentation": {"erase": {"probability": 1.1}}}, "augmentation.erase.probability", "equal to 1"),
        ({**BASE, "averaging": {"name": "ema", "decay": 1.0}}, "averaging.ema.decay", "less than 1"),
        ({**BASE, "averaging": {"name": "swa", "start_fraction": 1.0}}, "averaging.swa.start_fraction", "less than 1"),
        ({**BASE, "averaging": {"name": "mean"}}, "averaging", "'ema'"),
        ({**BASE, "epochs": 4, "averaging": {"name": "swa"}}, "", "Expected at least 2 epochs that count"),
        ({**STYLE, "learning_rate": 0.1}, "", "Expected learning_rate with"),
        ({**STYLE, "seed": 3}, "", "Expected seed with"),
        ({**BASE, "name": "x" * 10_000}, "name", "at most 200 characters"),
        ({**BASE, "name": "a\x00b"}, "name", "pattern"),
        ({**BASE, "name": "two\nlines"}, "name", "pattern"),
        ({**BASE, "dataset": ""}, "dataset", "at least 1 character"),
        ({**BASE, "class_weights": [0.0, 0.0]}, "class_weights", "at least one class needs a weight above zero."),
        (
            {**BASE, "image_size": 4},
            "image_size",
            "pixels a side, or height and width, each a whole number of 8 to 2,048",
        ),
        ({**BASE, "image_size": [64, 4000]}, "image_size", "of 8 to 2,048"),
        ({**BASE, "image_size": [64]}, "image_size", "height and width"),
        ({**BASE, "image_size": "64"}, "image_size", "a whole number"),
        (
            {**BASE, "augmentation": {"crop": {"scale": [1.0, 0.5]}}},
            "augmentation.crop.scale",
            "the smaller number first",
        ),
        (
            {**BASE, "augmentation": {"crop": {"ratio": [0.0, 1.0]}}},
            "augmentation.crop.ratio.0",
            "greater than or equal",
        ),
        ({**BASE, "augmentation": {"flip": "sideways"}}, "augmentation.flip", "'horizontal'"),
        (
            {**BASE, "augmentation": {"randaugment": {"operations": 0}}},
            "augmentation.randaugment.operations",
            "equal to 1",
        ),
        ({"kind": "train", "network": {"name": "lenet5"}}, "dataset", "Field required"),
        ({"kind": "trian"}, "kind", "Did you mean train?"),
        ({"kind": ["train"]}, "kind", "Expected a job kind"),
        ({}, "kind", "got nothing"),
        (
            {"kind": "noop"},
            "kind",
            "Known: convolutionalise, evaluate, export, finetune, predict, segment, style_transfer, train.",
        ),
        ({"kind": "export"}, "run", "Field required"),
        ({"kind": "export", "run": "Digits"}, "run", "as [owner/]name[@alias or @number]"),
        ({"kind": "export", "run": 0}, "run", "the number of a job"),
        ({"kind": "export", "run": 1.5}, "run", "the number of a job"),
        ({"kind": "export", "run": True}, "run", "the number of a job"),
        ({"kind": "export", "run": 1, "formats": []}, "formats", "at least one format"),
        ({"kind": "export", "run": 1, "formats": ["onnx", "onnx"]}, "formats", "each format once"),
        ({"kind": "export", "run": 1, "formats": ["onyx"]}, "formats.0", "'onnx'"),
        ({"kind": "export", "run": 1, "tolerance": 2}, "tolerance", "less than or equal to 1"),
    ],
)
def test_a_mistake_is_named_by_its_path_and_in_words(body, path, part):
    found = problems(body)
    assert list(found) == [path]
    assert part in found[path]
    assert len(found[path]) < 400


def test_all_mistakes_are_told_at_once():
    assert set(problems({**BASE, "epochs": 0, "seed": -1, "color": "red"})) == {"epochs", "seed", "color"}


def test_an_image_size_is_one_number_or_two():
    assert parse_spec({**BASE, "image_size": 96}).image_size == 96
    assert parse_spec({**BASE, "image_size": [96, 128]}).image_size == (96, 128)
    assert sides_of(96) == (96, 96)
    assert sides_of((96, 128)) == (96, 128)


def test_an_augmentation_of_nothing_is_off():
    assert Augmentation().is_off
    assert not Augmentation(crop=Crop()).is_off
    assert not Augmentation(elastic=Elastic()).is_off
    assert Augmentation(mixup=0.1).mixes
    assert not Augmentation(crop=Crop()).mixes


@pytest.mark.parametrize("value", [{"a": {"b": 1}}, {"a": [1.5]}, {"a": [[1]]}, {"a": 10**400}, {"a": "x" * 101}])
def test_a_bad_network_option_is_one_problem(value):
    assert list(problems({**BASE, "network": {"name": "lenet5", "options": value}})) == ["network.options.a"]


def test_network_options_keep_their_types():
    options = {"a": True, "b": 2, "c": 2.5, "d": "relu", "e": [1, 2]}
    spec = parse_spec({**BASE, "network": {"name": "lenet5", "options": options}})
    kept = spec.network.options
    assert kept == {**options, "e": (1, 2)}
    assert [type(value) for value in kept.values()] == [bool, int, float, str, tuple]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b"null",
        b'"train"',
        b"\xff\xfe{",
        b"{'kind': 'train'}",
        b"[" * 100_000,
        3,
        None,
        ["train"],
    ],
)
def test_what_is_no_json_object_is_said_to_be_none(body):
    with pytest.raises(NotJson):
        parse_spec(body)


@pytest.mark.parametrize("depth", [1, 50, 190, 210, 500, 900, 960, 990, 1000, 2_000, 50_000])
@pytest.mark.parametrize(("start", "end"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_deep_nesting_is_refused_and_breaks_nothing(depth, start, end):
    body = json.dumps(BASE).encode()[:-1] + b', "extra": ' + start * depth + b"1" + end * depth + b"}"
    with pytest.raises((InvalidSpec, NotJson)) as caught:
        parse_spec(body)
    assert len(str(caught.value)) < 1_000


@pytest.mark.parametrize("digits", [20, 400, 4_200, 5_000, 100_000])
def test_huge_numbers_are_refused_and_not_repeated_at_length(digits):
    body = json.dumps(BASE).encode()[:-1] + b', "epochs": ' + b"9" * digits + b"}"
    with pytest.raises((InvalidSpec, NotJson)) as caught:
        parse_spec(body)
    assert len(str(caught.value)) < 400


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(InvalidSpec):
        parse_spec(json.dumps({**BASE, "name": "\ud800"}).encode())


def test_the_kind_made_for_tests_exists_only_under_test_settings():
    assert parse_spec({"kind": "noop"}, test_kinds=True).kind == "noop"
    assert "kind" in problems({"kind": "noop"})


def test_a_spec_cannot_be_changed():
    spec = parse_spec(BASE)
    with pytest.raises(ValueError, match="frozen"):
        spec.epochs = 9


# ── round trips ──────────────────────────────────────────────────────────────────────────────────────────────

rates = st.floats(1e-12, 10.0)
fractions = st.floats(0.0, 0.999)
optimizers = st.one_of(
    st.builds(SGD, momentum=fractions, nesterov=st.booleans()),
    st.builds(Adam, beta_1=fractions, beta_2=fractions, epsilon=st.floats(1e-12, 1.0)),
    st.builds(AdamW, weight_decay=st.floats(0.0, 1.0), beta_1=fractions),
)
schedules = st.one_of(
    st.just(Constant()),
    st.builds(Cosine, warmup_fraction=st.floats(0.0, 0.9), final_fraction=st.floats(0.0, 1.0)),
    st.builds(Exponential, decay=st.floats(1e-6, 1.0)),
    st.builds(OneCycle, peak_fraction=st.floats(1e-6, 0.999)),
    st.builds(Plateau, patience=st.integers(1, 1000), factor=st.floats(1e-6, 0.999)),
)
names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200)
values = (
    st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | names.map(lambda text: text[:100])
)
option_values = values | st.lists(st.integers(-9, 9), max_size=5).map(tuple)
train_specs = st.builds(
    TrainSpec,
    name=names,
    dataset=st.just("mnist"),
    network=st.fixed_dictionaries(
        {"name": st.just("lenet5"), "options": st.dictionaries(names.map(lambda t: t[:20]), option_values, max_size=4)}
    ),
    seed=st.integers(0, 2**31 - 1),
    optimizer=optimizers,
    learning_rate=rates,
    epochs=st.integers(2, 10_000),
    schedule=schedules,
    image_size=st.none() | st.integers(8, 2048) | st.tuples(st.integers(8, 2048), st.integers(8, 2048)),
    augmentation=st.none()
    | st.builds(
        Augmentation,
        flip=st.sampled_from(["none", "horizontal", "vertical", "both"]),
        crop=st.none() | st.builds(Crop, scale=st.tuples(st.floats(0.01, 0.5), st.floats(0.5, 1.0))),
        randaugment=st.none() | st.builds(RandAugment, magnitude=st.floats(0.0, 10.0)),
        elastic=st.none() | st.builds(Elastic, points=st.integers(2, 32)),
        erase=st.none() | st.builds(Erase, area=st.tuples(st.floats(0.01, 0.1), st.floats(0.1, 1.0))),
        mixup=st.floats(0.0, 10.0),
    ),
    averaging=st.none() | st.builds(EMA, decay=st.floats(0.01, 0.99)) | st.builds(SWA, start_fraction=st.just(0.0)),
    class_weights=st.none() | st.just("balanced") | st.lists(st.floats(0.1, 1e6), min_size=1, max_size=12).map(tuple),
)


@given(train_specs)
def test_a_spec_survives_json_and_the_database_form(spec):
    assert parse_spec(spec.model_dump_json().encode()) == spec
    assert parse_spec(json.loads(json.dumps(spec.model_dump(mode="json")))) == spec


@pytest.mark.parametrize("kind", sorted(SPECS))
def test_every_kind_publishes_a_schema_that_forbids_unknown_fields(kind):
    schema = SPECS[kind].model_json_schema()
    assert schema["additionalProperties"] is False
    assert schema["properties"]["kind"]["const"] == kind


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)
    )
)
def test_whatever_comes_is_a_spec_or_an_error_of_ours(body):
    for candidate in (body, {**BASE, "schedule": body}, {**BASE, "network": body}, {"kind": body}):
        with suppress(InvalidSpec, NotJson):  # anything else fails the test
            parse_spec(candidate)
