"""What a training will cost, and how right that was."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from api.views.base import View


class ParameterCounts(View):
    """Numbers in a network's weights."""

    trainable: int
    fixed: int
    """Such as the moving means of a batch normalisation."""


class ByHand(View):
    """Bytes as textbooks count them, 32-bit."""

    predict_bytes: int
    """To predict one image: two consecutive layers alive, and the weights."""
    train_bytes: int
    """To train a batch: every layer's activations, the images, and the weights."""
    weights_bytes: int
    predict_activations_bytes: int
    train_activations_bytes: int
    train_input_bytes: int


class Peak(View):
    """The peak of a real training step, in bytes of the framework's allocator."""

    low_bytes: int
    likely_bytes: int
    high_bytes: int
    data_bytes: int
    """Of it, images that lie on the device."""


class MultiplyAdds(View):
    """Multiplications with an addition, each counted once."""

    image: int
    """To predict one image."""
    step: int
    """To train a batch, backward pass included."""


class Estimate(View):
    """What a training will cost."""

    form: int
    parameters: ParameterCounts
    weights_bytes: int
    gradients_bytes: int
    optimizer_bytes: int
    by_hand: ByHand
    peak: dict[Literal["cpu", "gpu"], Peak]
    """By kind of device."""
    multiply_adds: MultiplyAdds
    steps_per_epoch: int


class CorrectedPeak(Peak):
    """A peak, moved by what similar jobs measured."""

    factor: float
    """1 where no similar job has measured its peak."""
    corrected_by_jobs: int


class Remedy(View):
    """A change that saves memory."""

    code: str
    title: str
    saves_bytes: int
    peak_bytes: int
    """The likely peak with it."""
    change: dict[str, Any] | None
    """Fields of the spec that make it; null where the yard cannot do it: advice only."""
    fits: bool


class Fit(View):
    """Whether a training fits a device."""

    device: str
    """`WORKER/cpu:0` …"""
    kind: Literal["cpu", "gpu"]
    memory_bytes: int
    needed_bytes: int
    """At the upper end of the range, with what the runtime itself takes; on a CPU also images and copies of weights."""
    fits: bool
    largest_batch: int
    """0 when not even one image fits."""
    remedies: list[Remedy]
    """Where it does not fit: what would help, in the order in which to try it."""


class Pace(View):
    """How long an epoch takes on a device of one model, from this yard's past runs."""

    device_model: str
    epoch_s: float
    jobs: int


class FullEstimate(Estimate):
    """What a job would cost on this yard."""

    peak: dict[Literal["cpu", "gpu"], CorrectedPeak]  # type: ignore[assignment]
    devices: list[Fit]
    epoch: list[Pace]
    """Empty where there is no past run of the same network, data and batch. Of a style transfer the whole is the epoch,
    and any past one will do."""


class MeasuredPeak(View):
    """An attempt's peak, as estimated when its job was submitted, and as measured."""

    job_id: int
    attempt: int
    network: str
    dataset: str
    batch_size: int
    optimizer: str
    device_kind: Literal["cpu", "gpu"]
    device_model: str
    low_bytes: int
    likely_bytes: int
    high_bytes: int
    measured_bytes: int
    resident_bytes: int | None
    error: float
    """Share by which the estimate was too high; negative when too low."""
    in_range: bool
    at: datetime


class Accuracy(View):
    """How right the estimates were."""

    count: int
    mean_error: float | None
    """Mean of the errors without their sign; null where nothing is measured yet."""
    worst_error: float | None
    outside_range: int
    items: list[MeasuredPeak]
