"""What every named network must do: train, stop, go on with the same bits, and be read back from its file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from ml.datasets import load_images
from ml.networks import NETWORKS
from records.events import Facts
from records.orders import Order
from tests.ml.recipes.stopping import assert_same_end, last_checkpoint, run
from tests.ml.small_networks import FASTEST, SMALL

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # TensorFlow 2.21
    pytest.mark.usefixtures("deterministic", "watchful"),
]

MakeOrder = Callable[..., Order]

ON_DIGITS = ("lenet5", "dense", "plain_cnn", "vgg19", "squeezenet", "googlenet", "resnet20", "resnet32")
"""Networks that learn real digits in a minute each, as small as here."""
EVERY = [name if name in FASTEST else pytest.param(name, marks=pytest.mark.slow) for name in NETWORKS]


def spec_of(name: str, **changes: Any) -> dict[str, Any]:
    """Four steps of six images."""
    return {
        "kind": "train",
        "dataset": "mnist",
        "network": {"name": name, "options": SMALL[name]},
        "epochs": 2,
        "batch_size": 6,
        "train_examples": 12,
        "seed": 7,
    } | changes


def test_every_network_has_small_options() -> None:
    assert SMALL.keys() == NETWORKS.keys()


@pytest.mark.parametrize("name", EVERY)
def test_it_trains_stops_goes_on_with_the_same_bits_and_is_read_back(
    name: str, make_order: MakeOrder, tiny_mnist: Path
) -> None:
    whole, summary = run(make_order(spec_of(name)))
    assert summary is not None
    stopped, interrupted = run(make_order(spec_of(name)), stop_at=1)
    assert interrupted is None
    order = make_order(spec_of(name), checkpoint=last_checkpoint(stopped))
    resumed, again = run(order)
    assert_same_end(last_checkpoint(whole), last_checkpoint(resumed))
    assert again == summary

    model = keras.models.load_model(order.folder / "model.keras")
    assert len(model.outputs) == 1
    assert model.count_params() == whole.of(Facts)[0].facts["parameters"]
    data = load_images("mnist", tiny_mnist)
    probabilities = np.asarray(model(data.test_images.astype(np.float32)))
    right = probabilities.argmax(axis=1) == data.test_labels
    assert right.mean() == pytest.approx(summary["test/accuracy"])
    losses = -np.log(probabilities[np.arange(len(right)), data.test_labels])
    assert losses.mean() == pytest.approx(summary["test/loss"], rel=1e-4)
    keras.backend.clear_session()


@pytest.mark.slow
def test_the_heads_of_googlenet_are_trained_and_are_not_kept(make_order: MakeOrder) -> None:
    from ml.engine.checkpoint import read_checkpoint

    order = make_order(spec_of("googlenet", epochs=1))
    reporter, _ = run(order)
    facts = reporter.of(Facts)[0].facts
    assert facts["parameters_in_training"] > facts["parameters"]
    arrays, _ = read_checkpoint(last_checkpoint(reporter))
    assert sum(array.shape == (104, 10) for name, array in arrays.items() if name.startswith("model/")) == 2
    layers = {layer.name for layer in keras.models.load_model(order.folder / "model.keras").layers}
    assert not any(name.startswith("head") for name in layers)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_it_learns_the_bright_squares(name: str, make_order: MakeOrder) -> None:
    changes: dict[str, Any] = {"epochs": 12, "batch_size": 16, "train_examples": 256, "learning_rate": 0.002}
    reporter, summary = run(make_order(spec_of(name, **changes)))
    assert summary is not None
    losses = losses_of(last_checkpoint(reporter))
    # The classes are places, and networks that end with the mean of each map hardly see where a thing is.
    assert losses[-1] < 0.9 * losses[0]
    keras.backend.clear_session()


@pytest.mark.slow
@pytest.mark.parametrize("name", ON_DIGITS)
def test_the_loss_goes_down_on_real_digits(name: str, make_order: MakeOrder, some_mnist: Path) -> None:
    """Of the same 256 digits, seen twelve times."""
    changes: dict[str, Any] = {"epochs": 12, "batch_size": 16, "train_examples": 256, "learning_rate": 0.002}
    reporter, summary = run(make_order(spec_of(name, **changes), dataset=some_mnist))
    assert summary is not None
    losses = losses_of(last_checkpoint(reporter))
    assert losses[-1] < 0.9 * min(losses[0], np.log(10)), losses  # guessing costs ln 10
    keras.backend.clear_session()


def losses_of(checkpoint: Path) -> list[float]:
    """The training loss of each epoch."""
    from ml.engine.checkpoint import read_checkpoint

    return [row["train/loss"] for row in read_checkpoint(checkpoint)[1]["state"]["history"]]
