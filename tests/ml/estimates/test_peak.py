"""The peak of a step, against walks worked out by hand, and what must hold for every network."""

from __future__ import annotations

import pytest

from ml.estimates import Plan, Training
from ml.estimates.tracing import write_step
from ml.networks import LOGITS, NETWORKS, Draft, NetworkError, make_network
from ml.networks.layers import Activation, Conv2D, Dense, Flatten

MB = 1_000_000


def dense_of(units: int, pixels: int = 1000):
    draft = Draft("by-hand", (1, pixels, 1))
    draft.add("flatten", Flatten())
    draft.add(LOGITS, Dense(units, use_bias=False))
    return draft.finish()


def test_one_dense_layer_by_hand():
    """Weights of 4 MB and two slots; the gradient and Adam's square."""
    exact = Training(dense_of(1000), Plan(1, "adam")).exact(1, kind="cpu")
    assert exact == 3 * 4 * MB + 2 * 4 * MB, "all else is below 256 KiB and not counted on the CPU"


@pytest.mark.parametrize(("optimizer", "arrays"), [("sgd", 2), ("momentum", 4), ("adam", 5), ("adamw", 5)])
def test_the_optimizer_decides_how_many_arrays_stand_beside_the_weights(optimizer, arrays):
    """Weights and gradient; momentum: a slot and a new one; Adam and AdamW: two slots and one more while they change.

    AdamW's decay makes new weights at the beginning; here the old ones are gone before the gradient comes.
    """
    assert Training(dense_of(1000), Plan(1, optimizer)).exact(1, kind="cpu") == arrays * 4 * MB


@pytest.mark.parametrize("kind", ["cpu", "gpu"])
def test_an_average_of_the_weights_is_one_more_array_of_each(kind):
    plain, averaged = (Training(dense_of(1000), Plan(1, "adam", averaged=on)) for on in (False, True))
    assert averaged.exact(1, kind=kind) - plain.exact(1, kind=kind) == 4 * MB


def test_the_gradient_of_a_layers_input_reads_the_weights_that_the_update_changes():
    """So the update copies them where it comes first (`test_lifetimes`)."""
    draft = Draft("by-hand", (1, 1000, 1))
    draft.add("flatten", Flatten())
    draft.add("hidden", Dense(1000, use_bias=False))
    draft.add(LOGITS, Dense(1000, use_bias=False))
    operations = write_step(draft.finish(), Plan(1, "sgd")).operations
    readers = {operation.name for operation in operations if "logits/w0" in operation.reads}
    assert readers == {"logits", "hidden'<-logits.0"}
    assert [operation.name for operation in operations if operation.updates == "logits/w0"] == ["logits/d0/step"]


def test_the_training_split_lies_on_the_cpu_but_not_on_a_gpu():
    training = Training(dense_of(1000), Plan(1, "sgd"), data_bytes=50 * MB)
    assert training.exact(1, kind="cpu") == 58 * MB
    assert training.exact(1, kind="gpu") < 9 * MB


def test_a_convolution_keeps_its_input_and_relu_its_output():
    """Images as numbers 4 MB; the output of relu, its gradient, and the logits' small ones."""
    draft = Draft("by-hand", (1000, 1000, 1))
    draft.add("conv", Conv2D(1, (1, 1), use_bias=False))
    draft.add("relu", Activation("relu"))
    draft.add("flatten", Flatten())
    draft.add(LOGITS, Dense(2, use_bias=False))
    training = Training(draft.finish(), Plan(1, "sgd"))
    images, kept, gradient = 4 * MB, 4 * MB, 4 * MB
    weights, at_hand = 8 * MB, 5 * MB
    weight_gradient = 8 * MB
    assert training.exact(1, kind="cpu") == images + kept + gradient + weights + at_hand + weight_gradient


def test_micro_batches_save_activations_and_cost_an_array_of_gradients():
    network = make_network("resnet20", (32, 32, 3), 10, {})
    training = Training(network, Plan(128))
    whole, cut = (training.exact(128, kind="gpu", micro=images) for images in (128, 32))
    assert whole / 4 < cut < whole / 3


def test_a_micro_batch_is_as_large_as_it_says_whatever_the_batch():
    network = make_network("resnet20", (32, 32, 3), 10, {})
    training = Training(network, Plan(256, "momentum", micro=16))
    half, most = (training.exact(100, kind="gpu", micro=images) for images in (50, 99))
    assert most > 1.5 * half
    assert training.exact(1024, kind="gpu") < 1.5 * training.exact(64, kind="gpu"), "but for the images themselves"


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_every_network_has_a_range_around_its_peak_that_grows_with_the_batch(name):
    training = None
    for side in (32, 96):
        try:
            training = Training(make_network(name, (side, side, 3), 10, {}), Plan(8))
        except NetworkError:
            continue
    assert training is not None
    peaks = [training.peak(batch, kind="gpu") for batch in (8, 64)]
    for peak in peaks:
        assert sum(training.weights.trained) * 3 < peak.low < peak.likely < peak.high
    assert peaks[0].exact <= peaks[1].exact < training.exact(1024, kind="gpu")
