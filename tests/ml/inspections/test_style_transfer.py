"""What is said of a style transfer before it queues."""

from __future__ import annotations

import pytest

from ml.kinds import inspect
from ml.networks.feature_networks import FEATURE_NETWORKS, by_digest
from records.errors import InvalidSpec, NotFound
from records.inputs import FirstWeightsInput, PictureInput
from records.library import CatalogueLibrary, PictureCard
from records.specs import parse_spec
from records.specs.style_transfer import StyleTransferSpec

SPEC = {"kind": "style_transfer", "content": 1, "styles": [{"picture": 2}]}


class Pictures(CatalogueLibrary):
    """Pictures 1 and 2 of 800 by 600, 3 of 400 by 300."""

    def picture(self, picture_id):
        if picture_id > 3:
            raise NotFound(f"There is no picture {picture_id} that you can see.")
        return PictureCard(picture_id, *((400, 300) if picture_id == 3 else (800, 600)))


def found(**changes):
    return inspect(parse_spec({**SPEC, **changes}), Pictures())


def refused(**changes):
    with pytest.raises(InvalidSpec) as error:
        found(**changes)
    return {problem.path: problem.text for problem in error.value.problems}


def test_pictures_and_the_weights_that_may_serve_are_staged():
    inputs = found(styles=[{"picture": 2, "mask": 1}]).inputs
    assert inputs["content"] == inputs["styles.0.mask"] == PictureInput(1)
    assert inputs["styles.0.picture"] == PictureInput(2)
    assert inputs["features"] == FirstWeightsInput(tuple(one.weights for one in FEATURE_NETWORKS.values()))
    assert found(features="squeezenet").inputs["features"] == FirstWeightsInput(("squeezenet_imagenet_notop",))


def test_the_spec_names_every_feature_network_and_no_other():
    named = StyleTransferSpec.model_json_schema()["properties"]["features"]["enum"]
    assert named == ["auto", *FEATURE_NETWORKS]
    assert all(by_digest(one.source.digest) is one for one in FEATURE_NETWORKS.values())


@pytest.mark.parametrize("name", FEATURE_NETWORKS)
def test_every_feature_network_has_its_layers(name):
    inspection = found(features=name)
    assert inspection.cost.estimate.peaks["cpu"].likely > 0


def test_what_is_not_there_is_named_by_its_path():
    assert refused(content=9, styles=[{"picture": 8, "mask": 7}]).keys() == {
        "content",
        "styles.0.picture",
        "styles.0.mask",
    }


def test_a_mask_must_have_the_contents_size():
    text = refused(styles=[{"picture": 2, "mask": 3}])["styles.0.mask"]
    assert "800 × 600 px, got one of 400 × 300" in text


def test_unknown_layers_are_refused_with_those_that_there_are():
    text = refused(features="vgg19", style_layers={"conv1_1": 1.0})["style_layers.conv1_1"]
    assert "c1_1_activation" in text
    assert "probabilities" not in text
    assert "logits" in str(refused(features="vgg19", content_layers={"logits": 1.0}))


def test_layers_are_those_of_a_network_that_is_named():
    assert "vgg19" in refused(style_layers={"c1_1_activation": 1.0})["style_layers"]


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("style_weight", {"style_weight": -1.0}),
        ("styles", {"styles": []}),
        ("styles.0.weight", {"styles": [{"picture": 2, "weight": 0.0}]}),
        ("size", {"size": 20_000}),
        ("features", {"features": "resnet50"}),
        ("content_layers", {"content_layers": {"fire2": 0.0}}),
        ("", {"content_weight": 0.0, "style_weight": 0.0}),
    ],
)
def test_values_out_of_range_are_refused(path, changes):
    with pytest.raises(InvalidSpec) as error:
        parse_spec({**SPEC, **changes})
    assert path in [problem.path for problem in error.value.problems]


def test_a_weight_that_is_no_number_is_refused():
    with pytest.raises(InvalidSpec):
        parse_spec({**SPEC, "style_weight": float("nan")})


def test_larger_pictures_cost_more_and_bfloat16_less():
    small, large = (found(size=size, levels=1).cost for size in (256, 512))
    assert 3.5 < large.work / small.work < 4.5
    assert large.estimate.peaks["cpu"].likely > 2 * small.estimate.peaks["cpu"].likely
    sixteen = found(size=512, levels=1, precision="bfloat16").cost
    assert sixteen.estimate.peaks["cpu"].likely < large.estimate.peaks["cpu"].likely


def test_a_device_that_is_too_small_is_told_the_size_that_fits():
    from ml.estimates import Room

    cost = found(size=4096).cost
    (answer,) = cost.advise([Room("w/cpu:0", "cpu", 4 * 10**9)], {})
    assert not answer["fits"]
    (remedy,) = answer["remedies"]
    smaller = found(size=remedy["change"]["size"]).cost
    assert smaller.advise([Room("w/cpu:0", "cpu", 4 * 10**9)], {})[0]["fits"]


@pytest.mark.parametrize(
    ("features", "size", "measured"),
    [("hed_vgg16", 256, 207_028_224), ("hed_vgg16", 512, 573_734_912), ("squeezenet", 512, 198_560_000)],
)
def test_the_peak_is_as_it_was_measured(features, size, measured):
    peak = found(features=features, size=size, levels=1).cost.estimate.peaks["cpu"]
    assert peak.low < measured < peak.high
    assert peak.likely == pytest.approx(measured, rel=0.1)
