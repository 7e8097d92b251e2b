"""Counting by hand, against numbers worked out on paper."""

from __future__ import annotations

from ml.estimates import count_by_hand
from ml.networks import LOGITS, Draft
from ml.networks.layers import Activation, Add, Conv2D, Dense, Flatten, Rescaling


def three_convolutions():
    """RGB 200 × 300, three 3 × 3 convolutions of stride 2 with 100, 200 and 400 maps."""
    draft = Draft("worked-example", (200, 300, 3))
    for maps in (100, 200, 400):
        draft.add(f"conv_{maps}", Conv2D(maps, (3, 3), strides=(2, 2), padding="same"))
        draft.add(f"relu_{maps}", Activation("relu"))
    return draft.finish()


def test_the_worked_example_has_903_400_parameters():
    network = three_convolutions()
    layers = [(3 * 3 * 3 + 1) * 100, (3 * 3 * 100 + 1) * 200, (3 * 3 * 200 + 1) * 400]
    assert network.parameters == sum(layers) == 903_400


def test_the_worked_example_predicts_in_9_megabytes_and_weights():
    counted = count_by_hand(three_convolutions(), batch_size=50)
    assert counted.predict_activations == (100 * 150 * 100 + 50 * 75 * 200) * 4 == 9_000_000
    assert counted.weights == 3_613_600
    assert counted.predict == 12_613_600


def test_the_worked_example_trains_a_batch_of_50_in_about_565_megabytes():
    counted = count_by_hand(three_convolutions(), batch_size=50)
    activations = 100 * 150 * 100 + 50 * 75 * 200 + 25 * 38 * 400
    assert counted.train_activations == activations * 50 * 4 == 526_000_000
    assert counted.train_input == 200 * 300 * 3 * 50 * 4 == 36_000_000
    assert counted.train == 565_613_600


def test_activations_in_place_count_nothing_and_branches_meet():
    draft = Draft("branch", (4, 4, 1))
    draft.add("rescaling", Rescaling(1 / 255))
    first = draft.add("first", Conv2D(2, (3, 3), padding="same"))
    draft.add("relu", Activation("relu"))
    second = draft.add("second", Conv2D(2, (3, 3), padding="same"))
    draft.add("sum", Add(), after=(first, second))
    draft.add("flatten", Flatten())
    draft.add(LOGITS, Dense(10))
    counted = count_by_hand(draft.finish(), batch_size=1)
    assert counted.train_activations == (32 + 32 + 32 + 10) * 4
    assert counted.predict_activations == 3 * 32 * 4
