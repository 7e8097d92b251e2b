"""Receptive fields against numbers worked out by hand and against published ones."""

from __future__ import annotations

import json

import pytest

from ml.networks import Draft, describe_network, make_network
from ml.networks.layers import (
    Activation,
    Add,
    Concatenate,
    Conv2D,
    Conv2DTranspose,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    MaxPooling2D,
    Multiply,
    Reshape,
    UpSampling2D,
    ZeroPadding2D,
)
from ml.networks.receptive import View, receptive_views


def test_a_chain_as_in_vgg_sees_more_with_every_layer():
    draft = Draft("vgg", (64, 64, 3))
    for name in ("c1", "c2"):
        draft.add(name, Conv2D(8, (3, 3), padding="same"))
    draft.add("p1", MaxPooling2D((2, 2)))
    for name in ("c3", "c4"):
        draft.add(name, Conv2D(8, (3, 3), padding="same"))
    draft.add("p2", MaxPooling2D((2, 2)))
    draft.add("c5", Conv2D(8, (3, 3), padding="same"))
    views = receptive_views(draft.finish())
    # 3, then +2·1; the pool +1·1, step 2; +2·2 twice; the pool +1·2, step 4; +2·4
    assert [(views[n].field, views[n].stride) for n in ("c1", "c2", "p1", "c3", "c4", "p2", "c5")] == [
        ((3, 3), (1, 1)),
        ((5, 5), (1, 1)),
        ((6, 6), (2, 2)),
        ((10, 10), (2, 2)),
        ((14, 14), (2, 2)),
        ((16, 16), (4, 4)),
        ((24, 24), (4, 4)),
    ]


def test_where_branches_meet_the_one_that_sees_most_counts():
    draft = Draft("inception", (32, 32, 3))
    draft.add("stem", Conv2D(8, (3, 3), strides=(2, 2), padding="same"))
    draft.add("one", Conv2D(8, (1, 1)), after="stem")
    draft.add("three", Conv2D(8, (3, 3), padding="same"), after="stem")
    draft.add("five", Conv2D(8, (1, 5), padding="same"), after="stem")
    draft.add("join", Concatenate(), after=("one", "three", "five"))
    draft.add("conv", Conv2D(24, (3, 3), padding="same"))
    draft.add("sum", Add(), after=("conv", "join"))
    views = receptive_views(draft.finish())
    assert views["join"] == View((3 + 2 * 2, 3 + 4 * 2), (2, 2))
    assert views["sum"] == View((11, 15), (2, 2))


def test_what_takes_every_place_at_once_sees_the_whole_image_and_so_does_what_follows():
    draft = Draft("gates", (16, 16, 3))
    draft.add("pad", ZeroPadding2D(1))
    draft.add("conv", Conv2D(4, (3, 3), strides=(2, 2)))
    draft.add("means", GlobalAveragePooling2D())
    draft.add("gates", Dense(4))
    draft.add("maps", Reshape((1, 1, 4)))
    draft.add("gated", Multiply(), after=("conv", "maps"))
    draft.add("smaller", MaxPooling2D((2, 2)))
    draft.add("flatten", Flatten())
    draft.add("act", Activation("relu"))
    views = receptive_views(draft.finish())
    assert views["pad"] == View((1, 1), (1, 1))
    assert views["means"] == views["gates"] == views["maps"] == views["flatten"] == views["act"] == View(None, None)
    assert views["gated"] == View(None, (2, 2))
    assert views["smaller"] == View(None, (4, 4))


@pytest.mark.parametrize(
    ("name", "layer", "field"),
    [("alexnet", "p5", 195), ("resnet50", None, 483), ("resnet101", None, 1027), ("resnet152", None, 1507)],
)
def test_the_fields_are_those_that_araujo_and_others_publish(name, layer, field):
    views = receptive_views(make_network(name, (224, 224, 3), 1000, {}))
    maps = [view for view in views.values() if view.field and view.stride]
    last = views[layer] if layer in views else maps[-1]
    assert last == View((field, field), (32, 32))


def test_a_description_adds_up_and_is_plain_json():
    network = make_network("googlenet", (224, 224, 3), 1000, {})
    told = describe_network(network)
    assert json.loads(json.dumps(told)) == told
    assert sum(layer["parameters"] for layer in told["layers"]) == told["training"]["parameters"] == network.parameters
    main = [layer for layer in told["layers"] if not layer["auxiliary"]]
    assert sum(layer["parameters"] for layer in main) == told["totals"]["parameters"] < network.parameters
    assert sum(layer["activation_bytes"] for layer in main) == told["totals"]["activation_bytes"]
    assert told["totals"]["weight_bytes"] == 4 * told["totals"]["parameters"]


def test_larger_maps_have_shorter_steps_and_see_their_neighbours():
    draft = Draft("up", (32, 32, 3))
    draft.add("spread", Conv2D(4, 3, padding="same", dilation_rate=(2, 4)))
    draft.add("half", MaxPooling2D(2))
    draft.add("quarter", MaxPooling2D(2))
    draft.add("twice", Conv2DTranspose(4, 4, strides=2, padding="same"))
    draft.add("whole", UpSampling2D(2, interpolation="bilinear"))
    draft.add("repeated", UpSampling2D(2))
    views = receptive_views(draft.finish())
    assert views["spread"] == View((5, 9), (1, 1))
    assert views["quarter"] == View((8, 12), (4, 4))
    assert views["twice"] == View((12, 16), (2, 2))  # two places of the smaller map, 4 px apart
    assert views["whole"] == View((14, 18), (1, 1))  # two places, 2 px apart
    assert views["repeated"] == View((14, 18), (1, 1))
