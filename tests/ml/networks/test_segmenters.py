"""Networks for segmentation: their parts, and what is said where a backbone or a crop does not fit."""

from __future__ import annotations

from typing import Any

import pytest

from ml.networks import LOGITS, Network, NetworkError, draw_segmenter, make_network
from ml.networks.backbones import body_of, make_atrous, make_backbone
from ml.networks.receptive import receptive_views
from records.specs import NetworkSpec, parse_as


def drawn(name: str, shape: tuple[int, int, int] = (64, 96, 3), classes: int = 3, base=None, **options: Any) -> Network:
    return draw_segmenter(parse_as(NetworkSpec, {"name": name, "options": options}), shape, classes, base)


def problem(name: str, shape: tuple[int, int, int] = (64, 96, 3), base=None, **options: Any) -> tuple[str, str]:
    with pytest.raises(NetworkError) as caught:
        drawn(name, shape, base=base, **options)
    return caught.value.path, caught.value.text


SMALL = {"backbone": "resnet18", "backbone_width": 0.125}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("unet", {"filters": 4}),
        ("unet", {"filters": 4, "depth": 2, "upsampling": "bilinear", "batch_norm": False, "dropout": 0.5}),
        ("unet", {"filters": 4, **SMALL}),
        ("fcn32s", SMALL),
        ("fcn16s", SMALL),
        ("fcn8s", SMALL),
        ("deeplab_v3plus", {"backbone": "mobilenet_v2", "backbone_width": 0.1, "filters": 8}),
        ("deeplab_v3plus", {"backbone": "efficientnet_lite0", "output_stride": 8, "filters": 8}),
    ],
)
def test_every_network_gives_a_share_of_each_class_for_every_pixel(name, options):
    network = drawn(name, **options)
    assert network.output_shape == network.output_shapes[LOGITS] == (64, 96, 3)
    assert Network.from_json(network.to_json()) == network


def test_u_net_has_the_parameters_of_the_paper():
    """31,030,593 with one class: the published figure of implementations with padding; a second one adds 64 + 1."""
    network = drawn("unet", (512, 512, 1), 2, filters=64, batch_norm=False)
    assert network.parameters == 31_030_593 + 65


def test_u_net_meets_its_largest_maps_again_on_the_way_up():
    network = drawn("unet", filters=8)
    joins = {node.name: node.inputs for node in network.layers if node.layer.type == "Concatenate"}
    assert joins["d1_join"] == ("e1_2_activation", "d1_up")
    assert joins["d8_join"] == ("e8_2_activation", "d8_up")
    assert network.output_shapes["d8_join"] == (8, 12, 128)


def test_fcn_8s_adds_two_finer_maps_and_learns_to_double_from_a_bilinear_start():
    network = drawn("fcn8s", backbone="vgg16", backbone_width=0.125)
    by_name = {node.name: node for node in network.layers}
    assert by_name["sum16"].inputs == ("up16", "score16")
    assert by_name["sum8"].inputs == ("up8", "score8")
    assert by_name["up8"].layer.options()["kernel_initializer"] == "bilinear"
    assert by_name[LOGITS].layer.options()["size"] == (8, 8)
    assert network.output_shapes["sum8"] == (8, 12, 3)


def test_finer_heads_judge_finer_maps():
    strides = {name: drawn(name, **SMALL).output_shapes for name in ("fcn32s", "fcn16s", "fcn8s")}
    assert "score16" not in strides["fcn32s"]
    assert "score8" not in strides["fcn16s"]
    assert strides["fcn8s"]["score8"][:2] == (8, 12)


# ── backbones ────────────────────────────────────────────────────────────────────────────────────────────────


def body(name: str, shape: tuple[int, int, int] = (64, 96, 3), **options: Any) -> Network:
    return body_of(make_network(name, (224, 224, 3), 2, options), shape)


@pytest.mark.parametrize("name", ["vgg16", "resnet18", "resnet50", "mobilenet_v2", "efficientnet_b0", "googlenet"])
def test_a_backbone_has_maps_of_every_half(name):
    made = make_backbone(body(name))
    assert made.stride == 32
    shapes = body(name).output_shapes
    for stride in (2, 4, 8, 16, 32):
        assert shapes[made.taps[stride]][:2] == (64 // stride, 96 // stride)


def test_taps_lie_between_blocks_not_inside_of_them():
    """The last of its size that everything behind goes through: in a ResNet, what the shortcut is added to."""
    assert make_backbone(body("resnet18")).taps[8] == "s3_2_activation"
    assert make_backbone(body("vgg16")).taps[16] == "c5_3_activation"


def test_a_classifier_with_dense_layers_loses_them_and_takes_another_size():
    network = make_network("vgg16", (224, 224, 3), 1000, {"width": 0.125, "hidden": 16})
    made = body_of(network, (64, 96, 3))
    assert made.layers[-1].name == "p5"
    assert made.output_shape[:2] == (2, 3)


def test_an_atrous_backbone_stops_shrinking_and_sees_as_far():
    plain, atrous = body("mobilenet_v2"), make_atrous(body("mobilenet_v2"), 8)
    assert plain.output_shape[:2] == (2, 3)
    assert atrous.output_shape[:2] == (8, 12)
    assert atrous.parameters == plain.parameters
    last = plain.layers[-1].name
    assert receptive_views(atrous)[last].field == receptive_views(plain)[last].field
    assert receptive_views(atrous)[last].stride == (8, 8)


def test_the_first_window_that_no_longer_moves_is_not_spread_yet():
    layers = {node.name: node.layer.options() for node in make_atrous(body("mobilenet_v2"), 16).layers}
    assert layers["s6_1_depthwise"]["dilation_rate"] == (1, 1)
    assert layers["s6_1_depthwise"]["strides"] == (1, 1)
    assert layers["s6_2_depthwise"]["dilation_rate"] == (2, 2)


# ── what is said ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_misspelt_network_is_answered_with_the_nearest():
    assert problem("unett") == ("network.name", "No network for segmentation is called 'unett'. Did you mean unet?")


def test_own_layers_are_refused():
    spec = parse_as(NetworkSpec, {"layers": [{"type": "Conv2D", "filters": 3, "kernel_size": 1}]})
    with pytest.raises(NetworkError, match="by its name"):
        draw_segmenter(spec, (64, 64, 3), 2)


def test_an_unknown_option_is_refused():
    path, text = problem("unet", filterz=8)
    assert path == "network.options.filterz"
    assert "Did you mean filters?" in text


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("fcn8s", {"backbone": "resnet20"}, "whose maps are 1, 2, 4 times smaller"),
        ("unet", {"backbone": "dense"}, "no convolutions"),
        ("unet", {"backbone": "lenet5"}, "cannot be laid over"),
        ("deeplab_v3plus", {"backbone": "convnext_tiny"}, "without padding"),
        ("unet", {"backbone": "resnet81"}, "Did you mean resnet18"),
    ],
)
def test_a_backbone_that_does_not_fit_is_refused(name, options, said):
    path, text = problem(name, **options)
    assert path == "network.options.backbone"
    assert said in text


@pytest.mark.parametrize(("name", "shape"), [("unet", (60, 64, 3)), ("fcn32s", (48, 64, 3)), ("unet", (8, 8, 3))])
def test_crops_that_the_stride_does_not_divide_are_refused(name, shape):
    path, text = problem(name, shape)
    assert path == "crop_size"
    assert "crop_size" in text


def test_a_backbone_is_named_or_given_but_not_both():
    base = make_network("resnet18", (32, 32, 3), 10, {})
    path, text = problem("unet", base=base, backbone="vgg16")
    assert path == "network.options.backbone"
    assert "Leave one of both out" in text
    assert drawn("unet", base=base, filters=4).name == "unet_resnet18"
