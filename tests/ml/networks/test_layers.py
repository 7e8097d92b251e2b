"""Shapes, weights and multiply-adds of single layers, worked out by hand."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ml.networks.errors import ShapeError, WindowTooLarge
from ml.networks.layers import (
    Add,
    AveragePooling2D,
    BatchNormalization,
    ChannelOrder,
    ChannelPadding,
    Concatenate,
    Conv2D,
    Conv2DTranspose,
    Dense,
    DepthwiseConv2D,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    LayerNormalization,
    LayerScale,
    LocalResponseNormalization,
    MaxPooling2D,
    Multiply,
    PartialConv2D,
    Rescaling,
    Reshape,
    SeparableConv2D,
    StochasticDepth,
    TrainableSubsampling2D,
    UpSampling2D,
    ZeroPadding2D,
)


def parameters(layer, *shapes):
    return sum(weight.size for weight in layer.weights(*shapes))


def test_a_convolution_of_an_8_by_9_image_with_a_3_by_2_window_and_strides_of_2_by_3():
    layer = Conv2D(4, (3, 2), strides=(2, 3))
    # rows (8 - 3) // 2 + 1 = 3, columns (9 - 2) // 3 + 1 = 3
    assert layer.output_shape((8, 9, 5)) == (3, 3, 4)
    assert parameters(layer, (8, 9, 5)) == 3 * 2 * 5 * 4 + 4
    assert layer.multiply_adds((8, 9, 5)) == (3 * 3 * 4) * (3 * 2 * 5)


def test_same_padding_rounds_the_size_up():
    assert Conv2D(4, 3, strides=2, padding="same").output_shape((7, 8, 1)) == (4, 4, 4)
    assert MaxPooling2D(2, padding="same").output_shape((7, 8, 1)) == (4, 4, 1)


def test_a_convolution_without_bias_has_only_its_kernel():
    assert [w.name for w in Conv2D(4, 3, use_bias=False).weights((7, 7, 2))] == ["kernel"]
    assert parameters(Conv2D(4, 3, use_bias=False), (7, 7, 2)) == 3 * 3 * 2 * 4


def test_a_partial_convolution_counts_its_connections_only():
    layer = PartialConv2D(((0, 1), (2,), (0, 1, 2)), 3)
    assert layer.output_shape((5, 6, 3)) == (3, 4, 3)
    assert parameters(layer, (5, 6, 3)) == 6 * 9 + 3
    assert layer.multiply_adds((5, 6, 3)) == 3 * 4 * 6 * 9


def test_a_partial_convolution_refuses_a_map_that_is_not_there():
    with pytest.raises(ShapeError, match="connects input map 3, but gets 3 maps"):
        PartialConv2D(((0, 3),), 3).output_shape((5, 5, 3))


def test_a_partial_convolution_refuses_a_connection_that_stands_twice():
    with pytest.raises(ShapeError, match="twice"):
        PartialConv2D(((1, 1),), 3).output_shape((5, 5, 3))


def test_pooling_without_strides_moves_by_its_window():
    assert AveragePooling2D(3).output_shape((10, 11, 2)) == (3, 3, 2)
    assert AveragePooling2D(3, strides=1).output_shape((10, 11, 2)) == (8, 9, 2)


def test_trainable_subsampling_has_a_coefficient_and_a_bias_a_map():
    layer = TrainableSubsampling2D(2)
    assert layer.output_shape((5, 6, 7)) == (2, 3, 7)
    assert parameters(layer, (5, 6, 7)) == 14
    assert layer.multiply_adds((5, 6, 7)) == 2 * 3 * 7


def test_a_dense_layer_works_on_the_last_axis():
    assert Dense(3).output_shape((2, 5)) == (2, 3)
    assert parameters(Dense(3), (2, 5)) == 5 * 3 + 3
    assert Dense(3).multiply_adds((2, 5)) == 2 * 5 * 3


def test_the_moving_statistics_of_a_batch_norm_are_not_trained():
    trained = [w.trainable for w in BatchNormalization().weights((4, 4, 8))]
    assert trained == [True, True, False, False]
    assert parameters(BatchNormalization(), (4, 4, 8)) == 32


def test_flattening_and_global_pooling():
    assert Flatten().output_shape((4, 5, 6)) == (120,)
    assert GlobalAveragePooling2D().output_shape((4, 5, 6)) == (6,)


def test_branches_are_joined_on_channels_or_summed():
    assert Concatenate().output_shape((4, 4, 2), (4, 4, 3)) == (4, 4, 5)
    assert Add().output_shape((4, 4, 2), (4, 4, 2)) == (4, 4, 2)
    with pytest.raises(ShapeError, match="one shape"):
        Add().output_shape((4, 4, 2), (4, 4, 3))
    with pytest.raises(ShapeError, match="only in channels"):
        Concatenate().output_shape((4, 4, 2), (4, 5, 2))


def test_a_window_larger_than_its_input_is_refused():
    with pytest.raises(WindowTooLarge, match="window of 5 x 5 is larger than its input of 4 x 9"):
        Conv2D(1, 5).output_shape((4, 9, 1))


def test_a_convolution_of_flat_features_is_refused():
    with pytest.raises(ShapeError, match=r"needs \(height, width, channels\)"):
        Conv2D(1, 5).output_shape((400,))


@pytest.mark.parametrize("arguments", [{"filters": 0}, {"filters": "6"}, {"filters": True}, {"padding": "full"}])
def test_a_layer_refuses_arguments_that_make_no_sense(arguments):
    with pytest.raises(ValidationError):
        Conv2D(**{"filters": 6, "kernel_size": 5, **arguments})


def test_a_convolution_in_groups_sees_a_part_of_the_channels_in_each():
    layer = Conv2D(6, 3, groups=2)
    assert layer.output_shape((7, 7, 4)) == (5, 5, 6)
    assert parameters(layer, (7, 7, 4)) == 2 * (3 * 3 * 2 * 3) + 6
    assert layer.multiply_adds((7, 7, 4)) == 5 * 5 * 6 * (3 * 3 * 2)


@pytest.mark.parametrize(("filters", "channels", "what"), [(6, 3, "3 channels"), (5, 4, "5 filters")])
def test_groups_must_share_channels_and_filters_evenly(filters, channels, what):
    with pytest.raises(ShapeError, match=f"2 groups cannot share {what} evenly"):
        Conv2D(filters, 3, groups=2).output_shape((7, 7, channels))


def test_a_depthwise_convolution_has_a_kernel_for_each_map():
    layer = DepthwiseConv2D(3, strides=2, depth_multiplier=2)
    assert layer.output_shape((7, 9, 5)) == (3, 4, 10)
    assert parameters(layer, (7, 9, 5)) == 9 * 5 * 2 + 10
    assert layer.multiply_adds((7, 9, 5)) == 3 * 4 * 10 * 9


def test_a_separable_convolution_is_a_depthwise_and_a_pointwise_one():
    layer = SeparableConv2D(8, 3, padding="same", depth_multiplier=2)
    assert layer.output_shape((6, 7, 5)) == (6, 7, 8)
    assert parameters(layer, (6, 7, 5)) == 9 * 5 * 2 + 10 * 8 + 8
    assert layer.multiply_adds((6, 7, 5)) == 6 * 7 * (10 * 9 + 10 * 8)


@pytest.mark.parametrize("layer", [DepthwiseConv2D(3, strides=(1, 2)), SeparableConv2D(4, 3, strides=(1, 2))])
def test_map_by_map_convolutions_take_one_stride_for_both_directions(layer):
    with pytest.raises(ShapeError, match="same stride"):
        layer.output_shape((7, 7, 3))


@pytest.mark.parametrize(
    ("padding", "shape"),
    [(1, (6, 7, 2)), ((0, 2), (4, 9, 2)), (((1, 2), (0, 3)), (7, 8, 2)), ([[1, 2], [0, 3]], (7, 8, 2))],
)
def test_zeros_around_maps_are_given_as_keras_takes_them(padding, shape):
    assert ZeroPadding2D(padding).output_shape((4, 5, 2)) == shape


@pytest.mark.parametrize("padding", [-1, (1, 2, 3), "same", ((1, 2), (3,)), True])
def test_a_padding_that_makes_no_sense_is_refused(padding):
    with pytest.raises(ValidationError):
        ZeroPadding2D(padding)


def test_maps_of_zeros_fill_up_to_a_number_that_is_not_below_what_comes():
    assert ChannelPadding(8).output_shape((4, 5, 3)) == (4, 5, 8)
    with pytest.raises(ShapeError, match="fills up to 8 maps, but gets 9"):
        ChannelPadding(8).output_shape((4, 5, 9))


def test_a_reshape_keeps_the_number_of_values():
    assert Reshape((1, 1, 12)).output_shape((12,)) == (1, 1, 12)
    with pytest.raises(ShapeError, match="makes 12 values"):
        Reshape((3, 4)).output_shape((13,))


def test_a_product_repeats_axes_of_one():
    assert Multiply().output_shape((4, 5, 6), (1, 1, 6)) == (4, 5, 6)
    assert Multiply().multiply_adds((4, 5, 6), (1, 1, 6)) == 120
    with pytest.raises(ShapeError, match="axes of 1"):
        Multiply().output_shape((4, 5, 6), (1, 1, 5))
    with pytest.raises(ShapeError, match="as many axes"):
        Multiply().output_shape((4, 5, 6), (6,))


def test_global_pooling_may_keep_its_axes():
    assert GlobalMaxPooling2D().output_shape((4, 5, 6)) == (6,)
    assert GlobalAveragePooling2D(keepdims=True).output_shape((4, 5, 6)) == (1, 1, 6)


def test_response_normalisation_keeps_maps_and_has_no_weights():
    layer = LocalResponseNormalization()
    assert layer.output_shape((4, 5, 6)) == (4, 5, 6)
    assert parameters(layer, (4, 5, 6)) == 0
    with pytest.raises(ShapeError, match="must be odd"):
        LocalResponseNormalization(size=4).output_shape((4, 5, 6))
    with pytest.raises(ShapeError, match="needs"):
        layer.output_shape((6,))


def test_a_rescaling_may_have_a_number_for_each_channel():
    layer = Rescaling((1.0, 2.0, 3.0), [0, -1, 0.5])
    assert layer.output_shape((4, 5, 3)) == (4, 5, 3)
    assert layer.offset == (0.0, -1.0, 0.5)
    with pytest.raises(ShapeError, match="3 scales, one a channel, but gets 1 channels"):
        layer.output_shape((4, 5, 1))
    with pytest.raises(ShapeError, match="2 offsets"):
        Rescaling(1.0, (1.0, 2.0)).output_shape((4, 5, 3))


@pytest.mark.parametrize("scale", ["1", True, (), ("a",), ((1.0,),), float("nan"), None])
def test_a_rescaling_takes_numbers_only(scale):
    with pytest.raises(ValidationError, match="Expected a number, or a list of numbers"):
        Rescaling(scale)


def test_channels_come_in_another_order_each_once():
    assert ChannelOrder((2, 1, 0)).output_shape((4, 5, 3)) == (4, 5, 3)
    for order in ((0, 1), (0, 1, 1), (1, 2, 3)):
        with pytest.raises(ShapeError, match="each of 3 channels once"):
            ChannelOrder(order).output_shape((4, 5, 3))


def test_a_layer_norm_and_a_layer_scale_have_weights_for_each_channel_all_trained():
    assert [(w.name, w.shape, w.trainable) for w in LayerNormalization().weights((4, 5, 6))] == [
        ("gamma", (6,), True),
        ("beta", (6,), True),
    ]
    assert [(w.name, w.shape, w.trainable) for w in LayerScale().weights((4, 5, 6))] == [("gamma", (6,), True)]
    assert LayerNormalization().multiply_adds((4, 5, 6)) == LayerScale().multiply_adds((4, 5, 6)) == 120


def test_whole_images_are_left_out_of_maps_only():
    assert StochasticDepth(0.5).output_shape((4, 5, 6)) == (4, 5, 6)
    assert parameters(StochasticDepth(0.5), (4, 5, 6)) == 0
    with pytest.raises(ShapeError, match="needs"):
        StochasticDepth(0.5).output_shape((6,))


def test_a_spread_window_covers_more_with_the_same_weights():
    layer = Conv2D(4, 3, dilation_rate=(2, 3))
    # rows 9 - 5 + 1 = 5, columns 9 - 7 + 1 = 3
    assert layer.output_shape((9, 9, 2)) == (5, 3, 4)
    assert parameters(layer, (9, 9, 2)) == 3 * 3 * 2 * 4 + 4
    assert layer.multiply_adds((9, 9, 2)) == (5 * 3 * 4) * (3 * 3 * 2)
    assert DepthwiseConv2D(3, dilation_rate=4, padding="same").output_shape((9, 9, 2)) == (9, 9, 2)


@pytest.mark.parametrize("layer", [Conv2D(4, 3, strides=2, dilation_rate=2), DepthwiseConv2D(3, 2, dilation_rate=2)])
def test_a_window_moves_far_or_is_spread_but_not_both(layer):
    with pytest.raises(ShapeError, match="one of both must be 1"):
        layer.output_shape((9, 9, 2))


def test_a_transposed_convolution_makes_maps_larger():
    layer = Conv2DTranspose(4, (3, 2), strides=(2, 3))
    # rows 5 * 2 + 1, columns 6 * 3
    assert layer.output_shape((5, 6, 2)) == (11, 18, 4)
    assert [weight.shape for weight in layer.weights((5, 6, 2))] == [(3, 2, 4, 2), (4,)]
    assert layer.multiply_adds((5, 6, 2)) == (5 * 6 * 2) * (3 * 2) * 4
    assert Conv2DTranspose(4, 5, strides=2, padding="same").output_shape((5, 6, 2)) == (10, 12, 4)


def test_a_bilinear_start_keeps_the_number_of_maps():
    layer = Conv2DTranspose(4, 4, strides=2, kernel_initializer="bilinear")
    with pytest.raises(ShapeError, match="4 filters for 3 maps"):
        layer.output_shape((5, 6, 3))
    with pytest.raises(ValidationError):
        Conv2D(4, 4, kernel_initializer="bilinear")


def test_upsampling_multiplies_the_sides():
    assert UpSampling2D((2, 3)).output_shape((5, 6, 4)) == (10, 18, 4)
    assert UpSampling2D(2).multiply_adds((5, 6, 4)) == 0
    assert UpSampling2D(2, interpolation="bilinear").multiply_adds((5, 6, 4)) == 4 * 10 * 12 * 4
