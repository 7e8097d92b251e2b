"""The networks against the numbers of their papers, of reference implementations, or worked out from the papers."""

from __future__ import annotations

import pytest

from ml.networks import NETWORKS, Network, make_network

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
        return sum(row.parameters for row in network.table if "Conv2D" in row.type)

    assert convolutions(0.5) / convolutions(1.0) == pytest.approx(0.25, abs=0.06)
