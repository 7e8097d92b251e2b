"""The networks against the numbers of their papers, of reference implementations, or worked out from the papers."""

from __future__ import annotations

import pytest

from ml.networks import NETWORKS, Network, head_layers, make_network

IMAGENET = ((224, 224, 3), 1000)


def parameters_of(network: Network) -> dict[str, int]:
    return {row.name: row.parameters for row in network.table if row.parameters}


@pytest.mark.parametrize(
    ("name", "options", "trainable"),
    [
        ("alexnet", {}, 60_965_224),
        ("alexnet", {"groups": 1}, 62_378_344),
        ("googlenet", {"auxiliary": False}, 6_998_552),
        ("googlenet", {}, 13_378_280),
        ("resnet18", {}, 11_689_512),
        ("resnet34", {}, 21_797_672),
        ("resnet50", {}, 25_557_032),
        ("resnet50", {"stride_in": "3x3"}, 25_557_032),
        ("resnet101", {}, 44_549_160),
        ("resnet152", {}, 60_192_808),
        ("se_resnet18", {}, 11_778_592),
        ("se_resnet34", {}, 21_958_868),
        ("se_resnet50", {}, 28_088_024),
        ("mobilenet_v2", {}, 3_504_872),
        ("squeezenet", {}, 1_235_496),
        ("efficientnet_b0", {}, 5_288_548),
        ("efficientnet_lite0", {}, 4_652_008),
        ("efficientnet_lite1", {}, 5_416_680),
        ("efficientnet_lite2", {}, 6_092_072),
        ("convnext_tiny", {}, 28_589_128),
    ],
)
def test_networks_for_imagenet_train_as_many_parameters_as_published(name, options, trainable):
    assert make_network(name, *IMAGENET, options).trainable_parameters == trainable


@pytest.mark.parametrize(
    ("name", "shape", "options", "total"),
    [
        ("resnet50", (224, 224, 3), {"conv_bias": True}, 25_636_712),
        ("xception", (299, 299, 3), {}, 22_910_480),
        ("mobilenet_v2", (224, 224, 3), {}, 3_538_984),
        ("resnet101", (224, 224, 3), {"conv_bias": True}, 44_707_176),
        ("resnet152", (224, 224, 3), {"conv_bias": True}, 60_419_944),
        ("vgg16", (224, 224, 3), {}, 138_357_544),
        ("vgg19", (224, 224, 3), {}, 143_667_240),
        ("mobilenet_v3_small", (224, 224, 3), {}, 2_554_968),
        ("mobilenet_v3_large", (224, 224, 3), {}, 5_507_432),
        ("efficientnet_v2_b0", (224, 224, 3), {}, 7_200_312),
        ("efficientnet_v2_b1", (240, 240, 3), {}, 8_212_124),
        ("efficientnet_v2_b2", (260, 260, 3), {}, 10_178_374),
        ("efficientnet_v2_b3", (300, 300, 3), {}, 14_467_622),
        ("efficientnet_v2_s", (384, 384, 3), {}, 21_612_360),
    ],
)
def test_networks_that_keras_has_too_hold_as_many_parameters(name, shape, options, total):
    assert make_network(name, shape, 1000, options).parameters == total


@pytest.mark.parametrize(
    ("name", "option_a", "option_b", "published"),
    [
        ("resnet20", 269_722, 272_474, 0.27),
        ("resnet32", 464_154, 466_906, 0.46),
        ("resnet44", 658_586, 661_338, 0.66),
        ("resnet56", 853_018, 855_770, 0.85),
    ],
)
def test_resnets_for_small_images_count_as_in_the_paper(name, option_a, option_b, published):
    identity = make_network(name, (32, 32, 3), 10, {})
    projection = make_network(name, (32, 32, 3), 10, {"shortcut": "projection"})
    assert (identity.trainable_parameters, projection.trainable_parameters) == (option_a, option_b)
    assert round(option_a / 1e6, 2) == published


@pytest.mark.parametrize(
    ("name", "billions"),
    [("resnet18", 1.8), ("resnet34", 3.6), ("resnet50", 3.8), ("resnet101", 7.6), ("resnet152", 11.3)],
)
def test_resnets_compute_as_much_as_table_1_of_the_paper_says(name, billions):
    assert make_network(name, *IMAGENET, {}).multiply_adds / 1e9 == pytest.approx(billions, abs=0.08)


# ── AlexNet ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("side", [224, 227])
def test_alexnet_has_the_maps_and_parameters_of_the_paper_layer_by_layer(side):
    network = make_network("alexnet", (side, side, 3), 1000, {})
    shapes = network.output_shapes
    assert [shapes[name] for name in ("c1", "c2", "c3", "c4", "c5", "p5")] == [
        (55, 55, 96),
        (27, 27, 256),
        (13, 13, 384),
        (13, 13, 384),
        (13, 13, 256),
        (6, 6, 256),
    ]
    assert parameters_of(network) == {
        "c1": 96 * (11 * 11 * 3 + 1),
        "c2": 256 * (5 * 5 * 48 + 1),
        "c3": 384 * (3 * 3 * 256 + 1),
        "c4": 384 * (3 * 3 * 192 + 1),
        "c5": 256 * (3 * 3 * 192 + 1),
        "f6": 4096 * (6 * 6 * 256 + 1),
        "f7": 4096 * (4096 + 1),
        "logits": 1000 * (4096 + 1),
    }


def test_alexnet_may_do_without_response_normalisation_or_take_batch_norm():
    types = {
        kind: [node.layer.type for node in make_network("alexnet", *IMAGENET, {"normalization": kind}).layers]
        for kind in ("response", "batch", "none")
    }
    assert types["response"].count("LocalResponseNormalization") == 2
    assert types["batch"].count("BatchNormalization") == 2
    assert not any("Normalization" in layer for layer in types["none"])


# ── GoogLeNet ────────────────────────────────────────────────────────────────────────────────────────────────

TABLE_1 = {
    "3a": ((28, 28, 256), 192, (64, 96, 128, 16, 32, 32)),
    "3b": ((28, 28, 480), 256, (128, 128, 192, 32, 96, 64)),
    "4a": ((14, 14, 512), 480, (192, 96, 208, 16, 48, 64)),
    "4b": ((14, 14, 512), 512, (160, 112, 224, 24, 64, 64)),
    "4c": ((14, 14, 512), 512, (128, 128, 256, 24, 64, 64)),
    "4d": ((14, 14, 528), 512, (112, 144, 288, 32, 64, 64)),
    "4e": ((14, 14, 832), 528, (256, 160, 320, 32, 128, 128)),
    "5a": ((7, 7, 832), 832, (256, 160, 320, 32, 128, 128)),
    "5b": ((7, 7, 1024), 832, (384, 192, 384, 48, 128, 128)),
}
"""Output, maps in, filters: of each module, from the paper's table."""


def module_parameters(maps, filters, *, bias):
    one, three_reduce, three, five_reduce, five, pool = filters
    kernels = maps * (one + three_reduce + five_reduce + pool) + 9 * three_reduce * three + 25 * five_reduce * five
    return kernels + bias * sum(filters)


@pytest.mark.parametrize("module", TABLE_1)
def test_each_inception_module_is_that_of_the_papers_table(module):
    network = make_network("googlenet", *IMAGENET, {})
    shape, maps, filters = TABLE_1[module]
    assert network.output_shapes[f"i{module}"] == shape
    counted = sum(row.parameters for row in network.table if row.name.startswith(f"i{module}_"))
    assert counted == module_parameters(maps, filters, bias=1)


def test_googlenet_with_the_small_stem_has_the_papers_maps_at_28_px():
    shapes = make_network("googlenet", (28, 28, 1), 10, {"stem": "cifar"}).output_shapes
    assert {module: shapes[f"i{module}"] for module in TABLE_1} == {name: row[0] for name, row in TABLE_1.items()}


def test_the_heads_of_googlenet_are_those_of_section_5():
    network = make_network("googlenet", *IMAGENET, {})
    assert [(head.name, head.weight) for head in network.auxiliary] == [("head_1_logits", 0.3), ("head_2_logits", 0.3)]
    assert network.output_shapes["head_1_pool"] == (4, 4, 512)
    assert network.output_shapes["head_2_pool"] == (4, 4, 528)
    for head, maps in (("head_1", 512), ("head_2", 528)):
        counted = sum(row.parameters for row in network.table if row.name.startswith(head))
        assert counted == 128 * (maps + 1) + 1024 * (4 * 4 * 128 + 1) + 1000 * (1024 + 1)


def test_what_is_kept_of_googlenet_has_no_heads():
    whole = make_network("googlenet", *IMAGENET, {})
    without = make_network("googlenet", *IMAGENET, {"auxiliary": False})
    assert whole.main == without
    assert {row.name for row in whole.table if row.auxiliary} == set(whole.output_shapes) - set(without.output_shapes)


def test_googlenet_with_batch_norm_has_one_after_each_convolution_and_no_biases():
    network = make_network("googlenet", *IMAGENET, {"normalization": "batch", "auxiliary": False})
    layers = [node.layer for node in network.layers]
    convolutions = [layer for layer in layers if layer.type == "Conv2D"]
    assert len(convolutions) == 57
    assert [layer.type for layer in layers].count("BatchNormalization") == 57
    assert not any(layer.use_bias for layer in convolutions)


# ── squeeze-and-excitation ───────────────────────────────────────────────────────────────────────────────────


def squeeze_parameters(maps: int, ratio: int = 16) -> int:
    return maps * (maps // ratio) + maps // ratio + (maps // ratio) * maps + maps


def test_se_inception_is_googlenet_with_batch_norm_and_a_squeeze_after_each_module():
    plain = make_network("googlenet", *IMAGENET, {"normalization": "batch", "auxiliary": False})
    squeezed = make_network("se_inception", *IMAGENET, {})
    added = sum(squeeze_parameters(shape[-1]) for shape, _, _ in TABLE_1.values())
    assert squeezed.parameters == plain.parameters + added == 7_500_495


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("resnet18", ((64, 2), (128, 2), (256, 2), (512, 2))),
        ("resnet34", ((64, 3), (128, 4), (256, 6), (512, 3))),
        ("resnet50", ((256, 3), (512, 4), (1024, 6), (2048, 3))),
    ],
)
def test_a_squeeze_in_each_block_adds_two_dense_layers_with_biases(name, stages):
    plain, squeezed = (make_network(prefix + name, *IMAGENET, {}).parameters for prefix in ("", "se_"))
    assert squeezed - plain == sum(blocks * squeeze_parameters(maps) for maps, blocks in stages)


def test_a_larger_reduction_ratio_costs_less():
    by_ratio = [make_network("se_resnet18", *IMAGENET, {"squeeze_ratio": ratio}).parameters for ratio in (4, 16, 32)]
    assert by_ratio == sorted(by_ratio, reverse=True)


def test_the_gates_are_multiplied_into_the_maps_before_the_shortcut_is_added():
    nodes = {node.name: node for node in make_network("se_resnet18", (32, 32, 3), 10, {"stem": "cifar"}).layers}
    assert nodes["s2_1_se_excite"].inputs == ("s2_1_2_norm", "s2_1_se_gates_of_maps")
    assert nodes["s2_1"].inputs == ("c1_activation", "s2_1_se_excite")


# ── residual networks ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "se_resnet34"])
def test_stages_halve_the_maps_as_in_table_1(name):
    network = make_network(name, *IMAGENET, {})
    sides = [network.output_shapes[f"s{stage}_2"][0] for stage in (2, 3, 4, 5)]
    assert sides == [56, 28, 14, 7]
    assert network.output_shapes["c1"] == (112, 112, 64)


def test_the_small_stem_leaves_images_as_large_as_they_are():
    shapes = make_network("resnet50", (32, 32, 3), 10, {"stem": "cifar"}).output_shapes
    assert [shapes[f"s{stage}_1"][0] for stage in (2, 3, 4, 5)] == [32, 16, 8, 4]


@pytest.mark.parametrize(("stride_in", "side"), [("1x1", 28), ("3x3", 56)])
def test_a_bottleneck_makes_maps_smaller_in_the_convolution_that_was_chosen(stride_in, side):
    shapes = make_network("resnet50", *IMAGENET, {"stride_in": stride_in}).output_shapes
    assert shapes["s3_1_1"][0] == side
    assert shapes["s3_1_2"][0] == 28


def test_identity_shortcuts_have_no_parameters_and_projections_stand_only_where_maps_change():
    identity = make_network("resnet20", (32, 32, 3), 10, {})
    assert not [row for row in identity.table if "shortcut" in row.name and row.parameters]
    projection = make_network("resnet20", (32, 32, 3), 10, {"shortcut": "projection"})
    assert [row.name for row in projection.table if row.name.endswith("shortcut")] == ["s2_1_shortcut", "s3_1_shortcut"]


# ── Xception and MobileNetV2 ─────────────────────────────────────────────────────────────────────────────────


def test_xception_has_the_sizes_of_figure_5():
    shapes = make_network("xception", (299, 299, 3), 1000, {}).output_shapes
    assert [shapes[name] for name in ("b1_1", "b1_2", "b2", "b3", "b4", "b12", "b13", "b14_2")] == [
        (149, 149, 32),
        (147, 147, 64),
        (74, 74, 128),
        (37, 37, 256),
        (19, 19, 728),
        (19, 19, 728),
        (10, 10, 1024),
        (10, 10, 2048),
    ]


def test_fewer_blocks_in_the_middle_of_xception_cost_less_by_whole_blocks():
    eight, seven = (make_network("xception", *IMAGENET, {"middle_blocks": n}).parameters for n in (8, 7))
    assert eight - seven == 3 * (9 * 728 + 728 * 728 + 4 * 728)


def test_mobilenet_v2_computes_as_much_as_its_paper_says():
    assert make_network("mobilenet_v2", *IMAGENET, {}).multiply_adds / 1e6 == pytest.approx(300, rel=0.03)


# ── VGG, SqueezeNet, MobileNetV3, EfficientNet, ConvNeXt ─────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("vgg16", 15.5e9),
        ("vgg19", 19.6e9),
        ("mobilenet_v3_large", 219e6),
        ("mobilenet_v3_small", 56e6),
        ("efficientnet_b0", 0.39e9),
        ("efficientnet_b1", 0.70e9),
        ("efficientnet_b2", 1.0e9),
        ("efficientnet_b3", 1.8e9),
        ("efficientnet_lite0", 407e6),
        ("efficientnet_lite1", 631e6),
        ("efficientnet_lite2", 899e6),
        ("efficientnet_v2_b0", 0.7e9),
        ("efficientnet_v2_s", 8.4e9),
        ("convnext_tiny", 4.5e9),
    ],
)
def test_they_compute_as_much_as_their_authors_say(name, published):
    named = NETWORKS[name]
    network = make_network(name, named.input_shape, named.classes, {})
    assert network.multiply_adds == pytest.approx(published, rel=0.05)


@pytest.mark.parametrize(("name", "convolutions"), [("vgg16", 13), ("vgg19", 16)])
def test_vgg_has_the_layers_of_its_columns_and_halves_maps_five_times(name, convolutions):
    network = make_network(name, *IMAGENET, {})
    assert [node.layer.type for node in network.layers].count("Conv2D") == convolutions
    assert [network.output_shapes[f"p{stage}"] for stage in range(1, 6)] == [
        (112, 112, 64),
        (56, 56, 128),
        (28, 28, 256),
        (14, 14, 512),
        (7, 7, 512),
    ]
    means = make_network(name, *IMAGENET, {"head": "means"})
    assert network.parameters - means.parameters == (25088 + 1) * 4096 + (4096 + 1) * 4096 + (4096 - 512) * 1000


def test_squeezenet_has_the_maps_of_version_1_1():
    shapes = make_network("squeezenet", *IMAGENET, {}).output_shapes
    assert [shapes[name] for name in ("c1", "p1", "fire3", "p3", "fire5", "p5", "fire9", "c10", "logits")] == [
        (111, 111, 64),
        (55, 55, 64),
        (55, 55, 128),
        (27, 27, 128),
        (27, 27, 256),
        (13, 13, 256),
        (13, 13, 512),
        (13, 13, 1000),
        (1000,),
    ]


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("mobilenet_v3_large", [16, 64, 72, 72, 120, 120, 240, 200, 184, 184, 480, 672, 672, 960, 960], (7, 7, 960)),
        ("mobilenet_v3_small", [16, 72, 88, 96, 240, 240, 120, 144, 288, 576, 576], (7, 7, 576)),
    ],
)
def test_mobilenet_v3_is_as_wide_inside_as_its_tables_say(name, inside, outside):
    network = make_network(name, *IMAGENET, {})
    assert [network.output_shapes[f"b{number}_depthwise"][2] for number in range(1, len(inside) + 1)] == inside
    assert network.output_shapes["c2"] == outside
    hard = {node.name for node in network.layers if node.layer.options().get("activation") == "hard_silu"}
    assert "c1_activation" in hard
    assert "b2_depthwise_activation" not in hard
    assert f"b{len(inside)}_depthwise_activation" in hard


def test_efficientnets_grow_wider_deeper_and_larger_together():
    def counted(name):
        network = make_network(name, NETWORKS[name].input_shape, 1000, {})
        blocks = sum(node.layer.type == "DepthwiseConv2D" for node in network.layers)
        return blocks, network.output_shapes["c2"]

    assert [counted(f"efficientnet_b{number}") for number in range(4)] == [
        (16, (7, 7, 1280)),
        (23, (8, 8, 1280)),
        (23, (9, 9, 1408)),
        (26, (10, 10, 1536)),
    ]
    assert [counted(f"efficientnet_lite{number}") for number in range(3)] == [
        (16, (7, 7, 1280)),
        (21, (8, 8, 1280)),
        (21, (9, 9, 1280)),
    ]


def test_efficientnet_lite_has_no_squeeze_and_no_activation_but_relu6():
    network = make_network("efficientnet_lite2", (260, 260, 3), 1000, {})
    kinds = {node.layer.type for node in network.layers}
    assert "Multiply" not in kinds
    activations = {node.layer.activation for node in network.layers if node.layer.type == "Activation"}
    assert activations == {"relu6", "softmax"}


def test_stochastic_depth_grows_from_block_to_block_and_may_be_left_out():
    network = make_network("efficientnet_b0", *IMAGENET, {"stochastic_depth": 0.16})
    rates = [node.layer.rate for node in network.layers if node.layer.type == "StochasticDepth"]
    # 16 blocks, each a hundredth more than the one before; seven begin a stage and have no shortcut.
    assert rates == pytest.approx([0.02, 0.04, 0.06, 0.07, 0.09, 0.10, 0.12, 0.13, 0.14])
    without = make_network("efficientnet_b0", *IMAGENET, {"stochastic_depth": 0.0})
    assert not any(node.layer.type == "StochasticDepth" for node in without.layers)
    assert without.parameters == network.parameters


def test_convnext_has_the_maps_and_the_blocks_of_its_table():
    network = make_network("convnext_tiny", *IMAGENET, {})
    assert [network.output_shapes[f"d{stage}"] for stage in range(1, 5)] == [
        (56, 56, 96),
        (28, 28, 192),
        (14, 14, 384),
        (7, 7, 768),
    ]
    assert [node.layer.type for node in network.layers].count("LayerScale") == 3 + 3 + 9 + 3


# ── An et al. 2020 ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kernel", "convolutions", "norms", "dense", "side"),
    [
        (3, 1_009_440, 2 * 1_040, 112_640, 8),
        (5, 1_024_800, 2 * 480, 102_400, 8),
        (7, 2_260_272, 2 * 480, 30_720, 4),
    ],
)
def test_simple_cnns_have_the_papers_layers(kernel, convolutions, norms, dense, side):
    """Convolutions without biases: k² times the products of neighbouring numbers of filters; a scale and a shift each
    of the filters and of the ten logits are trained."""
    network = make_network("simple_cnn", (28, 28, 1), 10, {"kernel": kernel})
    by_type = {}
    for row in network.table:
        by_type[row.type] = by_type.get(row.type, 0) + row.parameters
    assert by_type["Conv2D"] == convolutions
    assert by_type["Dense"] == dense
    assert by_type["BatchNormalization"] == 2 * (norms + 20)
    assert network.trainable_parameters == convolutions + norms + dense + 20
    assert network.output_shapes[network.layers[-5].name][:2] == (side, side)


# ── ways of making maps smaller ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["lenet5", "alexnet", "googlenet", "plain_cnn"])
def test_pooling_and_convolutions_make_the_same_shapes(name):
    shape = (96, 96, 3)
    made = {
        how: make_network(name, shape, 10, {"downsampling": how})
        for how in ("max_pooling", "average_pooling", "convolution")
    }
    sizes = {
        how: [s for n, s in network.output_shapes.items() if n in made["max_pooling"].output_shapes]
        for how, network in made.items()
    }
    assert sizes["max_pooling"] == sizes["average_pooling"] == sizes["convolution"]
    assert made["max_pooling"].parameters == made["average_pooling"].parameters < made["convolution"].parameters
    types = [node.layer.type for node in made["convolution"].layers if not node.name.startswith(("i", "head"))]
    assert "MaxPooling2D" not in types


def test_strides_in_a_convolution_cost_neither_layer_nor_parameter():
    pooled, strided = (
        make_network("plain_cnn", (32, 32, 3), 10, {"downsampling": how}) for how in ("max_pooling", "strides")
    )
    assert strided.parameters == pooled.parameters
    assert len(strided.layers) == len(pooled.layers) - 2
    assert strided.output_shapes["c3_2"] == pooled.output_shapes["c3_2"] == (8, 8, 128)
    assert strided.multiply_adds < pooled.multiply_adds


def test_classic_lenet5_subsamples_as_published_unless_told_otherwise():
    by_how = {
        how: [node.layer.type for node in make_network("lenet5", (32, 32, 1), 10, options).layers]
        for how, options in (
            ("auto", {"variant": "classic"}),
            ("max", {"variant": "classic", "downsampling": "max_pooling"}),
        )
    }
    assert by_how["auto"].count("TrainableSubsampling2D") == 2
    assert by_how["max"].count("MaxPooling2D") == 2


# ── all of them ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_can_be_made_for_the_images_of_its_paper(name):
    named = NETWORKS[name]
    network = make_network(name, named.input_shape, named.classes, {})
    assert network.classes == named.classes
    assert network.name == name


@pytest.mark.parametrize("name", [name for name in NETWORKS if "width" in NETWORKS[name].options.model_fields])
def test_half_the_width_costs_about_a_quarter_of_the_convolutions(name):
    def convolutions(width):
        network = make_network(name, *IMAGENET, {"width": width}).main
        head = head_layers(network)
        return sum(row.parameters for row in network.table if "Conv2D" in row.type and row.name not in head)

    assert convolutions(0.5) / convolutions(1.0) == pytest.approx(0.25, abs=0.06)
