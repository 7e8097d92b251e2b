"""Numbers from a file in a model: which layers get them, and what is said where they do not fit."""

from __future__ import annotations

import h5py
import keras
import numpy as np
import pytest

from ml.engine.build import build_model
from ml.engine.pretrained import Loaded, load_pretrained
from ml.engine.weight_files import arrangement
from ml.networks import Draft, make_network
from ml.networks.inverted import Block, Inverted, Squeeze
from ml.networks.layers import BatchNormalization
from ml.networks.mobilenet_v2 import finish_with_dropout
from ml.networks.pixels import draw_pixels
from records.errors import WeightsUnreadable
from records.weights import Weights
from tests.ml.engine.keras_files import draw_weights, save_as_keras_2, save_as_keras_3
from tests.ml.engine.torch_files import write_torch_file

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

ENTRY = Weights("toy", "Toy", "toy", "toy.h5", "none", "here", classes=7)
INVERTED = Inverted(BatchNormalization())


def network_of(shape=(32, 32, 3), classes=7, width=8):
    """Small, with a layer of each kind."""
    draft = Draft("toy", shape)
    draw_pixels(draft, "tf", channels=shape[2])
    INVERTED.convolve(draft, "c1", 8, 3)
    INVERTED.block(draft, "b1", Block(8, 2 * width, width, squeeze=Squeeze(4)))
    INVERTED.convolve(draft, "c2", 2 * width, 1)
    return finish_with_dropout(draft, classes, dropout=0.2)


@pytest.fixture(scope="module")
def source():
    """A small trained model, so to speak: the same network with numbers of its own."""
    model = build_model(network_of(), seed=5)
    draw_weights(model, seed=3)
    return model


@pytest.fixture(scope="module", params=["keras 2", "keras 3"])
def file(request, source, tmp_path_factory):
    """The source's weights in a file, in either layout of Keras's."""
    save = save_as_keras_2 if request.param == "keras 2" else save_as_keras_3
    return save(source, tmp_path_factory.mktemp("weights") / "toy.h5")


def fresh(network):
    return build_model(network, seed=9)


def load(path, network, entry=ENTRY) -> tuple[keras.Model, Loaded]:
    model = fresh(network)
    return model, load_pretrained(model, network, entry, path)


def test_all_layers_of_the_same_network_are_loaded(file, source):
    model, loaded = load(file, network_of())
    assert loaded.fresh == ()
    assert set(loaded.layers) == {layer.name for layer in source.layers if layer.weights}
    for mine, theirs in zip(model.get_weights(), source.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_with_other_classes_the_head_is_left_as_it_was(file):
    network = network_of(classes=3)
    before = fresh(network).get_layer("logits").get_weights()
    model, loaded = load(file, network)
    assert loaded.fresh == ("logits",)
    for old, new in zip(before, model.get_layer("logits").get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_images_of_another_size_do_not_matter(file):
    assert load(file, network_of(shape=(48, 40, 3)))[1].fresh == ()


def test_grey_images_are_refused_with_the_name_of_the_layer(file):
    with pytest.raises(WeightsUnreadable, match=r"at layer 'c1': expected \(3, 3, 1, 8\), got .*colour images"):
        load(file, network_of(shape=(32, 32, 1)))


def test_another_width_is_refused_with_the_name_of_the_layer(file):
    with pytest.raises(WeightsUnreadable, match="'toy' at layer 'b1_expand': expected "):
        load(file, network_of(width=16))


def test_a_file_for_a_larger_network_is_refused(tmp_path):
    larger = make_network("dense", (4, 4, 3), 5, {"hidden": [6, 6, 6]})
    smaller = make_network("dense", (4, 4, 3), 5, {"hidden": [6, 6]})
    path = save_as_keras_2(build_model(larger, seed=0), tmp_path / "larger.h5")
    entry = Weights("toy", "Toy", "dense", path.name, "none", "here", classes=None)
    with pytest.raises(WeightsUnreadable, match="holds more than the network 'dense' has layers for"):
        load_pretrained(build_model(smaller, seed=0), smaller, entry, path)


def test_a_file_that_ends_before_the_head_is_refused(file, tmp_path):
    if "layers" in h5py.File(file):
        pytest.skip("the newer layout keeps no list of layers to cut")
    path = tmp_path / "cut.h5"
    path.write_bytes(file.read_bytes())
    with h5py.File(path, "r+") as cut:
        cut.attrs["layer_names"] = cut.attrs["layer_names"][:6]
    with pytest.raises(WeightsUnreadable, match="got nothing more"):
        load(path, network_of())


def test_numbers_that_are_not_finite_are_refused(source, tmp_path):
    model = build_model(network_of(), seed=0)
    kernel, *rest = model.get_layer("c2").get_weights()
    kernel[0, 0, 0, 0] = np.nan
    model.get_layer("c2").set_weights([kernel, *rest])
    with pytest.raises(WeightsUnreadable, match="for layer 'c2' that are not finite"):
        load(save_as_keras_2(model, tmp_path / "nan.h5"), network_of())


def test_what_is_no_hdf5_or_none_of_keras_is_refused(tmp_path):
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(WeightsUnreadable, match="is no HDF5 file"):
        load(tmp_path / "text.h5", network_of())
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["numbers"] = np.zeros(3)
    with pytest.raises(WeightsUnreadable, match="names no layers"):
        load(tmp_path / "other.h5", network_of())


def test_a_link_out_of_the_file_is_not_followed(file, tmp_path):
    if "layers" not in h5py.File(file):
        pytest.skip("one layout is enough")
    path = tmp_path / "linked.h5"
    path.write_bytes(file.read_bytes())
    with h5py.File(path, "r+") as linked:
        del linked["layers/conv2d/vars/0"]
        linked["layers/conv2d/vars/0"] = h5py.ExternalLink(str(file), "layers/conv2d/vars/0")
    with pytest.raises(WeightsUnreadable, match="but does not hold it"):
        load(path, network_of())


def test_numbers_that_lie_in_another_file_are_refused(file, tmp_path):
    if "layers" not in h5py.File(file):
        pytest.skip("one layout is enough")
    path = tmp_path / "outside.h5"
    path.write_bytes(file.read_bytes())
    (tmp_path / "secret").write_bytes(bytes(10_000))
    with h5py.File(path, "r+") as outside:
        shape = outside["layers/conv2d/vars/0"].shape
        del outside["layers/conv2d/vars/0"]
        size = int(np.prod(shape)) * 4
        outside.create_dataset("layers/conv2d/vars/0", shape, "f4", external=[(str(tmp_path / "secret"), 0, size)])
    with pytest.raises(WeightsUnreadable, match="lies in another file"):
        load(path, network_of())


def test_pytorchs_axes_are_turned_and_its_counters_left_out(source, tmp_path):
    arrays = {}
    for layer in source.layers:
        for number, weight in enumerate(layer.get_weights()):
            arrays[f"{layer.name}.{number}"] = as_torch(layer, weight)
        if isinstance(layer, keras.layers.BatchNormalization):
            arrays[f"{layer.name}.num_batches_tracked"] = np.zeros(())
    model, loaded = load(write_torch_file(tmp_path / "toy.pth", arrays), network_of())
    assert loaded.fresh == ()
    for mine, theirs in zip(model.get_weights(), source.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def as_torch(layer, weight):
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return weight.transpose(2, 3, 0, 1)
    return weight.transpose({4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}[weight.ndim])


def test_other_statistics_of_pixels_are_refused(tmp_path):
    """As those of an EfficientNet that Keras has not trained: mean 0, variance 1."""
    options = {"stem": "cifar", "width": 0.1}
    network = make_network("efficientnet_b0", (32, 32, 3), 7, options)
    model = build_model(network, seed=0)
    normalised = keras.layers.Normalization(axis=-1, name="normalization")
    whole = keras.Sequential([keras.Input((32, 32, 3)), normalised, *model.layers[2:3]])
    entry = Weights("toy", "Toy", "efficientnet_b0", "toy.h5", "none", "here", classes=7)
    with pytest.raises(WeightsUnreadable, match="was trained on pixels of mean"):
        load_pretrained(model, network, entry, save_as_keras_2(whole, tmp_path / "toy.h5"))


@pytest.mark.parametrize(
    ("stored", "wanted", "torch", "fits"),
    [
        ((3, 3, 4, 8), (3, 3, 4, 8), False, True),
        ((1, 1, 4, 8), (4, 8), False, True),
        ((3, 3, 1, 8), (3, 3, 8, 1), False, True),
        ((3, 3, 4, 8), (3, 3, 8, 4), False, False),
        ((1, 1, 8, 4), (4, 8), False, False),
        ((8, 4), (4, 8), False, False),
        ((8, 4, 3, 3), (3, 3, 4, 8), True, True),
        ((8, 1, 3, 3), (3, 3, 8, 1), True, True),
        ((8, 4), (4, 8), True, True),
        ((4, 8), (4, 8), True, False),
        ((8,), (8,), True, True),
        ((8, 1, 3), (8, 3), True, False),
    ],
)
def test_axes_are_turned_only_where_the_source_has_them_so(stored, wanted, torch, fits):
    arrange = arrangement(stored, wanted, torch=torch)
    assert (arrange is not None) == fits
    if arrange:
        assert arrange(np.zeros(stored)).shape == wanted


def test_a_model_of_several_models_gives_its_layers_in_order_and_not_what_stands_beside_them(tmp_path):
    network = make_network("vgg16", (32, 32, 3), 4, {"head": "means", "width": 0.125})
    source = build_model(network, seed=5)
    convolutions = [layer for layer in source.layers if isinstance(layer, keras.layers.Conv2D)]
    with h5py.File(tmp_path / "parts.weights.h5", "w") as file:
        for stage, (first, last) in enumerate(((0, 2), (2, 4), (4, 7), (7, 10), (10, 13)), 1):
            for place, layer in enumerate(convolutions[first:last]):
                name = f"conv2d_{place}" if place else "conv2d"
                for number, array in enumerate(layer.get_weights()):
                    file[f"block{stage}/layers/{name}/vars/{number}"] = array
            file[f"side{stage}/vars/0"] = np.zeros((1, 1, 3, 1), np.float32)
    entry = Weights("parts", "Parts", "vgg16", "parts.weights.h5", "none", "here", classes=None)
    model, loaded = load(tmp_path / "parts.weights.h5", network, entry)
    assert loaded.fresh == ("logits",)
    for layer in convolutions:
        for mine, theirs in zip(model.get_layer(layer.name).get_weights(), layer.get_weights(), strict=True):
            np.testing.assert_array_equal(mine, theirs)
