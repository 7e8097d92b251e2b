"""What fits, and what would make it fit."""

from __future__ import annotations

import pytest

from ml.estimates import Plan, Room, Training, advise
from ml.kinds import inspect
from records.specs import parse_spec

GB = 10**9


def cost_of(network: str, **fields):
    fields = {"kind": "train", "dataset": "mnist", "network": {"name": network}, **fields}
    return inspect(parse_spec(fields)).cost


def advice(cost, memory_bytes: int, kind="gpu", factors=None):
    return cost.advise([Room("d", kind, memory_bytes)], factors or {})[0]


def test_a_large_device_holds_it_and_needs_no_advice():
    answer = advice(cost_of("lenet5"), 8 * GB)
    assert answer["fits"]
    assert answer["remedies"] == []
    assert answer["largest_batch"] > 128


def test_a_device_below_the_runtime_holds_nothing():
    answer = advice(cost_of("lenet5"), GB // 2)
    assert not answer["fits"]
    assert answer["largest_batch"] == 0


@pytest.mark.parametrize("network", ["resnet50", "plain_cnn"])
def test_the_largest_batch_fits_and_one_a_tenth_larger_does_not(network):
    cost = cost_of(network, batch_size=256)
    answer = advice(cost, 2 * GB)
    largest = answer["largest_batch"]
    training = Training(cost.network, cost.plan)
    room = Room("d", "gpu", 2 * GB)
    assert room.holds(round(training.peak(largest, kind="gpu").high * 0.9), 0)
    assert not room.holds(round(training.peak(round(largest * 1.3), kind="gpu").high), 0)


def test_remedies_come_in_their_order_and_say_what_can_be_set():
    answer = advice(cost_of("resnet50", batch_size=512), 2 * GB)
    assert not answer["fits"]
    codes = [remedy["code"] for remedy in answer["remedies"]]
    assert codes == [
        "smaller_batch", "accumulation", "mixed_precision", "recompute", "more_devices", "larger_stride",
        "smaller_network",
    ]  # fmt: skip
    settable = {remedy["code"]: remedy["change"] for remedy in answer["remedies"] if remedy["change"]}
    assert settable == {"smaller_batch": {"batch_size": 256}, "smaller_network": {"network": {"name": "resnet34"}}}
    assert all(remedy["saves_bytes"] > 0 for remedy in answer["remedies"])


def test_16_bit_activations_save_nearly_half_of_them():
    cost = cost_of("resnet20", batch_size=512)
    mixed = Training(cost.network, Plan(512, precision="mixed")).exact(512, kind="gpu")
    assert 0.45 < mixed / Training(cost.network, Plan(512)).exact(512, kind="gpu") < 0.6


def test_what_jobs_measured_moves_what_fits():
    cost = cost_of("resnet50", batch_size=512)
    needed = advice(cost, 100 * GB)["needed_bytes"]
    assert advice(cost, needed)["fits"]
    assert not advice(cost, needed, factors={"gpu": 1.1})["fits"]


def test_advice_needs_no_more_than_the_devices_it_is_asked_about():
    cost = cost_of("lenet5")
    peaks = {"cpu": cost.estimate.peaks["cpu"]}
    training = Training(cost.network, cost.plan)
    assert advise(cost.network, training, cost.plan, [Room("d", "cpu", GB)], peaks=peaks, factors={})[0]["fits"]


def test_on_the_cpu_what_a_checkpoint_copies_counts_and_on_a_gpu_it_does_not():
    """Weights of 4 MB twice (the best, and in the checkpoint), two slots of Adam, images, and the graph."""
    cost = cost_of("dense", optimizer={"name": "adam"})
    training = Training(cost.network, cost.plan)
    weights = 4 * cost.network.parameters
    beside = training.beside(images_bytes=1000)
    assert beside == 1000 + 4 * weights + 6 * 1_700_000
    room = Room("d", "cpu", GB)
    assert room.needed(100, beside) - room.needed(100, 0) == beside
    assert Room("d", "gpu", GB).needed(100, beside) == Room("d", "gpu", GB).needed(100, 0)


def test_the_images_are_there_twice_while_the_framework_takes_them_up():
    """The validation part stays mapped from its file."""
    cost = cost_of("lenet5", train_examples=1000, validation_fraction=0.1)
    assert (cost.images, cost.data_bytes) == (1000, 784_000)
    (answer,) = cost.advise([Room("d", "cpu", GB)], {})
    bare = cost.estimate.peaks["cpu"].high
    training = Training(cost.network, cost.plan)
    assert answer["needed_bytes"] == Room("d", "cpu", GB).needed(bare, training.beside(images_bytes=784_000))
