"""Shapes, weights and multiply-adds of single layers, worked out by hand."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ml.networks.errors import ShapeError, WindowTooLarge
from ml.networks.layers import (
    Add,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    MaxPooling2D,
    PartialConv2D,
    TrainableSubsampling2D,
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
