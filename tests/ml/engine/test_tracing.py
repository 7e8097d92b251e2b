"""The instant estimate against the trace of the same step, for networks that the measured list does not have."""

from __future__ import annotations

import keras
import pytest

from ml.engine.tracing import trace_peak
from ml.estimates import Plan, Training
from ml.networks import make_network
from records.specs.train import SGD, Adam


@pytest.fixture(autouse=True)
def _one_at_a_time():
    yield
    keras.backend.clear_session()


@pytest.mark.parametrize(
    ("name", "side", "batch", "optimizer", "options"),
    [
        ("squeezenet", 128, 8, "adam", {}),
        ("mobilenet_v3_small", 128, 8, "momentum", {}),
        pytest.param("vgg16", 64, 8, "adam", {"head": "means"}, marks=pytest.mark.slow),
        pytest.param("efficientnet_lite0", 96, 8, "adam", {}, marks=pytest.mark.slow),
        pytest.param("efficientnet_b0", 160, 8, "adam", {}, marks=pytest.mark.slow),
        pytest.param("efficientnet_v2_b0", 160, 8, "adam", {}, marks=pytest.mark.slow),
        pytest.param("convnext_tiny", 224, 4, "adam", {"stochastic_depth": 0.1}, marks=pytest.mark.slow),
    ],
)
def test_the_instant_estimate_is_close_to_the_traced_one(name, side, batch, optimizer, options):
    network = make_network(name, (side, side, 3), 10, options)
    instant = Training(network, Plan(batch, optimizer)).peak(batch, kind="cpu")
    traced = trace_peak(network, batch_size=batch, optimizer=Adam() if optimizer == "adam" else SGD())
    assert instant.exact == pytest.approx(traced.exact, rel=0.06)
