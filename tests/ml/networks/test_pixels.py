"""What networks are fed, as layers: against the numbers of `keras.applications.imagenet_utils`, by hand."""

from __future__ import annotations

import pytest

from ml.networks import Draft
from ml.networks.layers import Flatten
from ml.networks.pixels import draw_pixels


def layers_for(pixels, channels):
    draft = Draft("pixels", (2, 2, channels))
    draw_pixels(draft, pixels, channels=channels)
    draft.add("flatten", Flatten())
    return [node.layer for node in draft.finish().layers][:-1]


def test_tf_is_minus_1_to_1():
    (rescaling,) = layers_for("tf", 3)
    assert [value * rescaling.scale + rescaling.offset for value in (0, 127.5, 255)] == pytest.approx([-1, 0, 1])


def test_torch_takes_the_mean_away_and_divides_by_the_deviation():
    (rescaling,) = layers_for("torch", 3)
    red = 200 * rescaling.scale[0] + rescaling.offset[0]
    assert red == pytest.approx((200 / 255 - 0.485) / 0.229)
    blue = 200 * rescaling.scale[2] + rescaling.offset[2]
    assert blue == pytest.approx((200 / 255 - 0.406) / 0.225)


def test_caffe_takes_means_away_and_turns_the_channels_around():
    rescaling, order = layers_for("caffe", 3)
    assert (rescaling.scale, rescaling.offset) == (1.0, (-123.68, -116.779, -103.939))
    assert order.order == (2, 1, 0)


@pytest.mark.parametrize(("pixels", "mean"), [("caffe", (123.68 + 116.779 + 103.939) / 3), ("torch", None)])
def test_grey_images_take_the_mean_of_the_channels_numbers(pixels, mean):
    (rescaling,) = layers_for(pixels, 1)
    assert isinstance(rescaling.scale, float)
    assert isinstance(rescaling.offset, float)
    if mean:
        assert rescaling.offset == pytest.approx(-mean)
