"""The shapes of the replies, as classes: OpenAPI is made from them, and tests hold every reply against them.

`api.shapes` makes the replies themselves, as plain dicts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from records.states import AttemptStatus, JobStatus


class View(BaseModel):
    """A reply, or a part of one."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Reason(View):
    """Why something is as it is: a stable code for programs and a sentence for people."""

    code: str
    text: str


class Attempt(View):
    """One worker's try at a job."""

    number: int
    """1 for the first."""
    status: AttemptStatus
    worker: str
    device: str
    """`cpu:0`, `gpu:0` …"""
    pid: int | None
    """Process id on the worker's machine."""
    placed_at: datetime
    started_at: datetime | None
    first_step_at: datetime | None
    finished_at: datetime | None
    memory_bytes: int
    """Lent to it of the device; its process may take no more."""
    threads: int
    """Processor threads that it may use."""
    peak_bytes: int | None
    """The most that the framework had in use on the device; null until it is measured."""
    resident_bytes: int | None
    """The most main memory that its process held above what it began with."""
    reason: Reason | None


class Live(View):
    """What a running job last said of itself. What it has not said yet is null."""

    stage: str | None
    epoch: int | None
    """The epoch under way, from 1."""
    epochs: int | None
    step: int | None
    """Optimizer steps done, over all epochs."""
    steps: int | None
    images_per_s: float | None
    values: dict[str, float | None]
    """Latest values, such as loss and accuracy."""


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
    """At the upper end of the range, with what the runtime itself takes."""
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
    """Empty where there is no past run of the same network, data and batch."""


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


class ExpectedStart(View):
    """When a waiting job is expected to start."""

    from_: datetime = Field(alias="from")
    """At the earliest."""
    likely: datetime
    until: datetime
    """At the latest."""


class Promise(ExpectedStart):
    """The first expected start that a job was told of, kept on record."""

    made_at: datetime
    kept: bool | None
    """Whether it started in the range; null until it has started."""


class Needs(View):
    """What a job asks of a device, as it is thought of now."""

    cpu_bytes: int | None
    """Memory of a CPU device; null for a whole one."""
    gpu_bytes: int | None
    """Memory of a GPU; null for a whole one."""
    threads: int | None
    """Processor threads of a CPU device; null for all of them."""


class Job(View):
    """One order: what was asked, where it stands, and what became of it."""

    id: int
    kind: str
    name: str
    status: JobStatus
    reason: Reason | None
    """Why it waits, failed or was cancelled."""
    progress: float = Field(ge=0, le=1)
    live: Live
    time_left_s: float | None
    attempts: list[Attempt]
    place_in_queue: int | None
    """1 goes next; null when it does not wait."""
    expected_start: ExpectedStart | None
    """Null where nobody can tell, and when it does not wait."""
    promise: Promise | None
    """Null for a job that never had to wait."""
    needs: Needs
    spec: dict[str, Any]
    parameters: int
    """Parameters of the network; 0 where there is none."""
    estimate: Estimate | None
    """What it was thought to cost when it was submitted; null where nobody can tell."""
    summary: dict[str, Any]
    """The few numbers that sum the run up, such as `test/accuracy`."""
    owner: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested: bool


class JobEvent(View):
    """What happened to a job: who, when, from, to, why."""

    id: int
    kind: str
    """`submitted`, `moved`, `placed`, `cancel_requested`, `checkpoint`, `attempt_ended` …"""
    at: datetime
    actor: str
    """`user:NAME`, `worker:NAME` or `yard`."""
    from_status: JobStatus | None
    to_status: JobStatus | None
    code: str | None
    text: str


class MetricPoint(View):
    """One value of one metric."""

    name: str
    step: int
    value: float | None
    """Null where it was not a finite number."""
    at: datetime


class LogLine(View):
    """A line that a job printed or reported."""

    id: int
    attempt: int
    at: datetime
    level: str
    text: str


class Artifact(View):
    """A kept file."""

    name: str
    kind: str
    media_type: str
    size_bytes: int
    sha256: str
    step: int | None
    """For checkpoints: optimizer steps done."""
    created_at: datetime


class Fetched(View):
    """When and from where this yard got a dataset."""

    source: str
    at: datetime


class Dataset(View):
    """Labelled images that jobs can train on."""

    name: str
    title: str
    classes: list[str]
    image_shape: tuple[int, int, int]
    """Height, width, channels."""
    counts: dict[str, int]
    """Images in each split as delivered."""
    sha256: str
    licence: str
    source: str
    fetched: Fetched | None
    """Null until a worker has fetched and verified it: the first job that needs it does."""
    sheet: str | None
    """Address of the sample sheet, a PNG; null until it is fetched."""


class NetworkOption(View):
    """An argument that a network takes."""

    name: str
    type: str
    default: Any
    choices: list[Any] | None
    minimum: float | None
    maximum: float | None
    doc: str


class Network(View):
    """A network that has a name."""

    name: str
    title: str
    paper: str
    options: list[NetworkOption]
    input_shape: tuple[int, int, int]
    """Height, width, channels for which `parameters` holds."""
    classes: int
    parameters: int | None
    """With default options, without what only training has."""
    multiply_adds: int | None
    """For one image, forward."""


class NetworkLayer(View):
    """What one layer is and costs, for one image, forward."""

    name: str
    type: str
    inputs: list[str]
    """The layers that feed it; `images` is the input."""
    output_shape: list[int]
    """Height, width, channels; or the number of values."""
    parameters: int
    trainable_parameters: int
    activation_bytes: int
    """Its output in 32-bit numbers."""
    multiply_adds: int
    receptive_field: tuple[int, int] | None
    """Height and width of what it sees, in pixels of the image, padding included; null for the whole image."""
    stride: tuple[int, int] | None
    """How far two neighbours' fields are apart, in pixels of the image; null where there are no neighbours."""
    auxiliary: bool
    """Whether only training has it."""


class NetworkTotals(View):
    """Sums over layers, for one image, forward, in 32-bit numbers."""

    layers: int
    parameters: int
    trainable_parameters: int
    weight_bytes: int
    activation_bytes: int
    multiply_adds: int


class NetworkLimits(View):
    """How large a network of one's own may be."""

    layers: int
    parameters: int
    activations: int
    """Numbers in the outputs of all layers, for one image."""


class NetworkDescription(View):
    """A network, layer by layer."""

    name: str
    """Of a named network; `own` for layers of one's own."""
    input_shape: tuple[int, int, int]
    """Height, width, channels."""
    classes: int
    layers: list[NetworkLayer]
    totals: NetworkTotals
    """Without what only training has."""
    training: NetworkTotals
    """With auxiliary heads, where a network has them."""
    limits: NetworkLimits


class Lease(View):
    """What one job holds of a device."""

    job_id: int | None
    """Null where one may not see the job."""
    memory_bytes: int
    """Lent to it."""
    threads: int
    since: datetime
    peak_bytes: int | None
    """The most that its framework has had in use; null until it is measured."""


class Taker(View):
    """A program outside the yard that holds memory of a GPU."""

    pid: int
    name: str
    memory_bytes: int | None


class Device(View):
    """A GPU or the CPU of a worker's machine."""

    name: str
    kind: Literal["cpu", "gpu"]
    model: str
    memory_bytes: int
    threads: int
    worker: str
    worker_status: Literal["online", "draining"]
    seen_at: datetime
    slots: int
    """Jobs that may share it."""
    taken_bytes: int
    """Memory that programs outside the yard hold."""
    takers: list[Taker]
    """Those programs, as far as they could be told."""
    lent_bytes: int
    """Memory that jobs hold."""
    leases: list[Lease]


class Waiting(View):
    """A job in the queue."""

    place: int
    """Counted over everybody's jobs."""
    job_id: int
    name: str
    kind: str
    owner: str
    priority: int
    reason: Reason | None
    expected_start: ExpectedStart | None
    promise: Promise | None
    needs: Needs
    created_at: datetime


class Sooner(View):
    """A change of a waiting job's spec that would let it start sooner."""

    change: dict[str, Any]
    """Fields of the spec, by dotted path."""
    starts_at: datetime
    now: bool
    """Whether it would start at once."""
    text: str


class PastJob(View):
    """A job that has run to its end, as the scheduler saw it."""

    job_id: int
    owner: str
    submitted_at: datetime
    memory_bytes: int | None
    """Lent to its last attempt; null for a whole device."""
    seconds: float
    """For which it held a device, over all attempts."""
    wait_s: float
    """From its submission to its first start."""


class PromisesKept(View):
    """How the newest promised starts came out."""

    count: int
    kept: int
    """Of them, those that came true within their range."""


class SpecSchema(View):
    """The JSON Schema of a job kind's spec."""

    kind: str
    title: str
    json_schema: dict[str, Any] = Field(alias="schema")


class Me(View):
    """Who a token stands for."""

    id: int
    name: str
    role: Literal["admin", "member"]


class Check(View):
    """How one part of the yard is."""

    status: Literal["ok", "degraded", "down"]
    text: str


class Readiness(View):
    """How the yard is: `degraded` still takes jobs."""

    status: Literal["ok", "degraded"]
    checks: dict[str, Check]


class Alive(View):
    """The process answers."""

    status: Literal["ok"]


class Version(View):
    """Which code runs."""

    version: str


class FieldProblem(View):
    """What is wrong with one field."""

    path: str
    text: str


class Problem(BaseModel):
    """An error, after RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    problems: list[FieldProblem] | None = None


def page_of(item: type[View]) -> type[BaseModel]:
    """The class of a list's page: `items`, and `next`, a cursor or null."""
    name = f"{item.__name__}Page"
    doc = f"A page of a list of {item.__name__}."
    return create_model(name, __base__=View, __doc__=doc, items=(list[item], ...), next=(str | None, ...))  # type: ignore[valid-type]
