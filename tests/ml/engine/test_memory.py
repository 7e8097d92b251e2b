"""The estimates against the truth: real steps in processes of their own, so that nothing else is counted."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from ml.estimates import Plan, Training
from ml.networks import make_network

CODE = """
import json, sys
from ml.engine.device import prepare_device
from records.orders import OrderedDevice
prepare_device(OrderedDevice(name="cpu:0", kind="cpu", index=0, memory_bytes=2**36, threads=2))
from ml.engine.measuring import measure_peak
from ml.engine.memory import MemoryWatch
from ml.engine.tracing import trace_peak
from ml.networks import make_network
from records.specs.train import Adam
watch = MemoryWatch()
name, batch, data = json.loads(sys.argv[1])
network = make_network(name, (28, 28, 1), 10, {})
measured = measure_peak(network, batch_size=batch, optimizer=Adam(), limit_s=5)
facts = watch.facts()
traced = trace_peak(network, batch_size=batch, optimizer=Adam(), data_bytes=data)
print(json.dumps({"peak": measured, "low": traced.low, "high": traced.high, "facts": facts}))
"""
WANTED = [("lenet5", 512, 4 * 512 * 784), ("dense", 512, 4 * 512 * 784)]


@pytest.fixture(scope="module", params=WANTED, ids=lambda wanted: wanted[0])
def measured(request):
    """A network, what was measured, and its refined range."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    command = [sys.executable, "-c", CODE, json.dumps(request.param)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    return request.param, json.loads(run.stdout.strip().splitlines()[-1])


def test_the_instant_range_holds_the_measured_peak(measured):
    (name, batch, data), found = measured
    network = make_network(name, (28, 28, 1), 10, {})
    peak = Training(network, Plan(batch), data_bytes=data).peak(batch, kind="cpu")
    assert peak.low <= found["peak"] <= peak.high


def test_the_refined_range_holds_the_measured_peak(measured):
    _, found = measured
    assert found["low"] <= found["peak"] <= found["high"]


def test_a_process_tells_its_peaks(measured):
    _, found = measured
    assert found["facts"]["peak_device_bytes"] == found["peak"]
    assert found["facts"]["peak_resident_bytes"] > found["peak"] / 2
