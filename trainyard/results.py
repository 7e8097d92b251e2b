"""What the yard answers, as typed, frozen values. Fields that a newer yard adds are left out, not refused."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from records.states import FINISHED

T = TypeVar("T")


class Result(BaseModel):
    """A value from the yard."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Reason(Result):
    """Why a job waits, failed or was cancelled: a stable code and a sentence."""

    code: str
    text: str | None = None


class Thrift(Result):
    """How an attempt saves memory, where the yard found out that it must."""

    micro_batch: int | None = None
    precision: str = "float32"
    recompute: bool = False
    text: str = ""


class Attempt(Result):
    """One worker's try at a job."""

    number: int
    status: str
    worker: str | None = None
    device: str | None = None
    pid: int | None = None
    reason: Reason | None = None
    started_at: datetime | None = None
    first_step_at: datetime | None = None
    finished_at: datetime | None = None
    peak_bytes: int | None = None
    """The most that the framework had in use on the device."""
    resident_bytes: int | None = None
    """The most main memory that its process held above what it began with."""
    thrift: Thrift | None = None
    """None where it follows the spec."""


class Live(Result):
    """What a running job last said of itself."""

    stage: str | None = None
    step: int | None = None
    steps: int | None = None
    epoch: int | None = None
    epochs: int | None = None
    images_per_s: float | None = None
    values: dict[str, float | None] = Field(default_factory=dict)


class ParameterCounts(Result):
    """Numbers in a network's weights."""

    trainable: int
    fixed: int


class ByHand(Result):
    """Bytes as textbooks count them."""

    predict_bytes: int
    train_bytes: int
    weights_bytes: int
    predict_activations_bytes: int
    train_activations_bytes: int
    train_input_bytes: int


class Peak(Result):
    """The peak of a real training step on one kind of device, in bytes of the framework's allocator."""

    low_bytes: int
    likely_bytes: int
    high_bytes: int
    data_bytes: int = 0
    factor: float = 1.0
    """What measured jobs moved it by."""
    corrected_by_jobs: int = 0


class MultiplyAdds(Result):
    """Multiplications with an addition, each counted once."""

    image: int
    step: int


class Remedy(Result):
    """A change that saves memory; `change` holds the fields of the spec that make it, None for advice alone."""

    code: str
    title: str
    saves_bytes: int
    peak_bytes: int
    change: dict[str, Any] | None = None
    fits: bool


class Fit(Result):
    """Whether a training fits a device."""

    device: str
    kind: str
    memory_bytes: int
    needed_bytes: int
    fits: bool
    largest_batch: int
    remedies: tuple[Remedy, ...] = ()


class Pace(Result):
    """How long an epoch takes on a device of one model, from past runs."""

    device_model: str
    epoch_s: float
    jobs: int


class Estimate(Result):
    """What a job will cost; `devices` and `epoch` are empty in the one that is stored with a job."""

    parameters: ParameterCounts
    weights_bytes: int
    gradients_bytes: int
    optimizer_bytes: int
    by_hand: ByHand
    peak: dict[str, Peak]
    """By kind of device."""
    multiply_adds: MultiplyAdds
    steps_per_epoch: int
    devices: tuple[Fit, ...] = ()
    epoch: tuple[Pace, ...] = ()


class ExpectedStart(Result):
    """When a waiting job is expected to start."""

    from_: datetime = Field(alias="from")
    likely: datetime
    until: datetime


class Promise(ExpectedStart):
    """The first expected start that a job was told of; `kept` tells whether it came true."""

    made_at: datetime
    kept: bool | None = None


class MeasuredPeak(Result):
    """An attempt's peak, as estimated when its job was submitted, and as measured."""

    job_id: int
    attempt: int
    network: str
    dataset: str
    batch_size: int
    optimizer: str
    device_model: str
    low_bytes: int
    likely_bytes: int
    high_bytes: int
    measured_bytes: int
    error: float
    """Share by which the estimate was too high; negative when too low."""
    in_range: bool


class Accuracy(Result):
    """How right the estimates were."""

    count: int
    mean_error: float | None = None
    worst_error: float | None = None
    outside_range: int = 0
    items: tuple[MeasuredPeak, ...] = ()


class Job(Result):
    """One order and where it stands."""

    id: int
    kind: str
    name: str = ""
    owner: str = ""
    visibility: str = "private"
    """`private`, `team` or `public`."""
    team: str | None = None
    """Whose members see it, where it is a team's."""
    status: str
    reason: Reason | None = None
    progress: float = 0.0
    """0 to 1."""
    place_in_queue: int | None = None
    """1 goes next; None when the job does not wait."""
    expected_start: ExpectedStart | None = None
    promise: Promise | None = None
    live: Live = Live()
    time_left_s: float | None = None
    attempts: tuple[Attempt, ...] = ()
    spec: dict[str, Any] = Field(default_factory=dict)
    summary: dict[str, Any] = Field(default_factory=dict)
    """The few numbers that sum the run up, such as `test/accuracy`."""
    parameters: int = 0
    """Parameters of the network; 0 where there is none."""
    estimate: Estimate | None = None
    """What it was thought to cost when it was submitted."""
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    cancel_requested: bool = False
    note: str | None = None
    """What people wrote on it."""
    tags: tuple[str, ...] = ()
    cloned_from: int | None = None
    """The job whose spec it began with."""

    @property
    def is_finished(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.status in FINISHED

    @property
    def title(self) -> str:
        """Its name, or what it does where it has none."""
        network = self.spec.get("network")
        name = network.get("name", "own network") if isinstance(network, dict) else network
        if name is None and (run := self.spec.get("run")) is not None:
            source = run if isinstance(run, str) else f"job {run['job'] if isinstance(run, dict) else run}"
            name = f"{self.kind} with {source}"
        if base := self.spec.get("base"):
            name = f"{base.get('pretrained') or 'job ' + str(base.get('job'))}, fine-tuned"
        parts = [name, self.spec.get("dataset")]
        return self.name or " on ".join(str(p) for p in parts if p) or self.kind


class LikelyClass(Result):
    """A class, and how likely it is."""

    name: str
    probability: float
    """0 to 1."""


class PixelShare(Result):
    """A class of pixels, and how much of an image it covers."""

    name: str
    share: float
    """0 to 1."""
    colour: str
    """Of it in the mask and the overlay: `#ff8a26`."""


class SeenPixels(Result):
    """The class of every pixel of one image."""

    width: int
    height: int
    shares: tuple[PixelShare, ...]
    """In the order of the classes."""
    mask: str
    """An indexed PNG in base64: each value is the index of a class."""
    overlay: str
    """The image with the colours of the classes over it, a JPEG in base64."""

    def save(self, folder: Path, stem: str) -> tuple[Path, Path]:
        """Write the mask and the overlay as `STEM-mask.png` and `STEM-overlay.jpg`; returns both paths."""
        paths = folder / f"{stem}-mask.png", folder / f"{stem}-overlay.jpg"
        for path, text in zip(paths, (self.mask, self.overlay), strict=True):
            path.write_bytes(base64.b64decode(text))
        return paths


class SeenImage(Result):
    """What is on one image, or why that cannot be told."""

    name: str
    classes: tuple[LikelyClass, ...] = ()
    """The likeliest first; empty where there is a problem, and of models that tell pixels."""
    pixels: SeenPixels | None = None
    """Of models that tell pixels."""
    problem: Reason | None = None


class Prediction(Result):
    """What a trained model says of some images."""

    id: int
    job_id: int
    status: str
    """`waiting`, `running`, `done` or `failed`."""
    reason: Reason | None = None
    """Why it failed."""
    classes: tuple[str, ...] = ()
    """All that the model knows."""
    images: tuple[SeenImage, ...] = ()
    """In the order in which they were sent; empty until it is done."""
    seconds: float | None = None
    """From the question to the answer."""


class Picture(Result):
    """An uploaded picture, as the yard wrote it anew."""

    id: int
    """What a spec names it by."""
    name: str
    width: int
    height: int
    media_type: str
    size_bytes: int
    sha256: str


class Artifact(Result):
    """A kept file of a job."""

    name: str
    kind: str
    media_type: str
    size_bytes: int
    sha256: str


class ModelAlias(Result):
    """A name for one version of a registered model."""

    name: str
    version: int
    etag: str
    """Changes with every move."""


class ModelVersion(Result):
    """A run's result under a number. It never changes."""

    model: str
    owner: str
    number: int
    ref: str
    """Names this version for good: `owner/name@number`."""
    job_id: int
    artifact: str
    """The file that it stands for."""
    files: tuple[Artifact, ...] = ()
    metrics: dict[str, Any] = Field(default_factory=dict)
    """The run's summary when it was registered."""
    note: str | None = None
    aliases: tuple[str, ...] = ()
    created_by: str = ""
    created_at: datetime


class AliasMove(Result):
    """A move of an alias: who, when, from, to."""

    alias: str
    from_version: int | None = None
    to_version: int | None = None
    actor: str
    at: datetime


class RegisteredModel(Result):
    """A name under which results of runs are numbered, in a list."""

    name: str
    owner: str
    visibility: str = "private"
    team: str | None = None
    newest: int | None = None
    versions: int = 0
    aliases: tuple[ModelAlias, ...] = ()
    metrics: dict[str, Any] = Field(default_factory=dict)
    """Of the newest version."""
    created_at: datetime


class FullModel(Result):
    """A registered model with its versions and moves, the newest first."""

    name: str
    owner: str
    visibility: str = "private"
    team: str | None = None
    versions: tuple[ModelVersion, ...] = ()
    aliases: tuple[ModelAlias, ...] = ()
    moves: tuple[AliasMove, ...] = ()
    created_at: datetime


class ComparedJob(Result):
    """A job beside others."""

    id: int
    title: str
    kind: str
    status: str
    owner: str = ""
    tags: tuple[str, ...] = ()
    cloned_from: int | None = None
    parameters: int = 0
    device: str | None = None
    ran_s: float | None = None
    peak_bytes: int | None = None


class ComparedField(Result):
    """A field of the specs: one value a job, None where its spec has none."""

    path: str
    values: tuple[Any, ...]


class ComparedNumber(Result):
    """A number of the summaries: one value a job."""

    name: str
    values: tuple[Any, ...]
    better: str | None = None
    """`higher` or `lower`."""
    best: tuple[int, ...] = ()
    """Places of the best, counted from 0."""


class Comparison(Result):
    """Jobs side by side."""

    jobs: tuple[ComparedJob, ...]
    differs: tuple[ComparedField, ...] = ()
    same: tuple[ComparedField, ...] = ()
    numbers: tuple[ComparedNumber, ...] = ()


class MetricPoint(Result):
    """One value of one metric. Steps count optimizer steps from 1, over all epochs."""

    name: str
    step: int
    value: float | None
    """None where the value was not a finite number."""
    at: datetime


class Event(Result):
    """Something that happened to a job: who, when, from, to, why."""

    id: int
    kind: str
    actor: str
    at: datetime
    from_status: str | None = None
    to_status: str | None = None
    code: str | None = None
    text: str = ""


class LogLine(Result):
    """A line that a job's child printed or reported."""

    id: int
    attempt: int | None = None
    at: datetime
    level: str = "info"
    text: str


class Fetched(Result):
    """When and from where the yard got a dataset."""

    source: str
    at: datetime


class Dataset(Result):
    """A dataset of the yard's catalogue, or somebody's own."""

    name: str
    ref: str = ""
    """Names it in a spec."""
    owner: str | None = None
    """None in the catalogue."""
    visibility: str = "private"
    team: str | None = None
    title: str = ""
    status: str = "ready"
    """`ready`, `checking`, `refused` or `empty`: of its newest version."""
    version: int | None = None
    """The newest ready version; None in the catalogue, and where there is none."""
    task: str = "classification"
    classes: tuple[str, ...] = ()
    image_shape: tuple[int, ...] | None = None
    """Height, width, channels; None where sizes differ."""
    channels: int = 0
    counts: dict[str, int] = Field(default_factory=dict)
    """Images in each split."""
    sha256: str = ""
    licence: str = ""
    source: str = ""
    fetched: Fetched | None = None
    """Of the catalogue: None until a worker has fetched it, as the first job that needs it does."""
    sheet: str | None = None
    created_at: datetime | None = None


class NetworkOption(Result):
    """An argument that a network takes."""

    name: str
    type: str = ""
    default: Any = None
    choices: tuple[Any, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None
    doc: str = ""


class PretrainedWeights(Result):
    """Weights that somebody trained, which the yard knows by name."""

    name: str
    title: str = ""
    options: dict[str, Any] = Field(default_factory=dict)
    """The network's options that go with them."""
    input_shape: tuple[int, ...] = ()
    """Height, width, channels of the images that they were trained on."""
    classes: int | None = None
    """None where the file ends before its last layer."""
    file: str = ""
    size_bytes: int | None = None
    digest: str = ""
    licence: str = ""
    source: str = ""


class Network(Result):
    """A network that has a name."""

    name: str
    title: str = ""
    paper: str = ""
    options: tuple[NetworkOption, ...] = ()
    input_shape: tuple[int, ...] = ()
    """Height, width, channels for which `parameters` holds."""
    classes: int = 0
    parameters: int | None = None
    """With default options."""
    multiply_adds: int | None = None
    """For one image, forward."""
    weights: tuple[PretrainedWeights, ...] = ()
    """Pretrained weights that exist for it."""


class NetworkLayer(Result):
    """What one layer is and costs, for one image, forward."""

    name: str
    type: str
    inputs: tuple[str, ...] = ()
    output_shape: tuple[int, ...]
    parameters: int
    trainable_parameters: int = 0
    activation_bytes: int = 0
    multiply_adds: int = 0
    receptive_field: tuple[int, int] | None = None
    """Height and width of what it sees of the image, in pixels; None for all of it."""
    stride: tuple[int, int] | None = None
    auxiliary: bool = False
    """Whether only training has it."""


class NetworkTotals(Result):
    """Sums over layers, for one image, forward, in 32-bit numbers."""

    layers: int
    parameters: int
    trainable_parameters: int = 0
    weight_bytes: int = 0
    activation_bytes: int = 0
    multiply_adds: int = 0


class NetworkDescription(Result):
    """A network, layer by layer."""

    name: str
    input_shape: tuple[int, ...]
    """Height, width, channels."""
    classes: int
    layers: tuple[NetworkLayer, ...]
    totals: NetworkTotals
    """Without what only training has."""
    training: NetworkTotals
    """With auxiliary heads, where a network has them."""
    limits: dict[str, int] = Field(default_factory=dict)
    """How large a network of one's own may be."""


class Lease(Result):
    """What one job holds of a device."""

    job_id: int | None = None
    """None where one may not see the job."""
    memory_bytes: int
    threads: int = 1
    since: datetime | None = None


class Device(Result):
    """A GPU or the CPU of a worker's machine."""

    name: str
    kind: str
    model: str = ""
    memory_bytes: int
    threads: int = 0
    worker: str = ""
    worker_status: str = ""
    seen_at: datetime | None = None
    slots: int = 1
    """Jobs that may share it."""
    taken_bytes: int = 0
    """Memory that programs outside the yard hold."""
    lent_bytes: int = 0
    """Memory that jobs hold."""
    leases: tuple[Lease, ...] = ()


class PastJob(Result):
    """A job that has run to its end, as the scheduler saw it."""

    job_id: int
    owner: str
    submitted_at: datetime
    memory_bytes: int | None = None
    """Lent to it; None for a whole device."""
    seconds: float
    """For which it held its device, over all attempts."""
    wait_s: float
    """From its submission to its first start."""


class Waiting(Result):
    """A job in the queue."""

    place: int
    """Counted over everybody's jobs."""
    job_id: int
    name: str = ""
    kind: str = ""
    owner: str = ""
    priority: int = 0
    reason: Reason | None = None
    expected_start: ExpectedStart | None = None
    created_at: datetime


class Page(Result, Generic[T]):
    """A part of a list; `next` is the cursor of the next part."""

    items: tuple[T, ...]
    next: str | None = None

    def __iter__(self) -> Iterator[T]:  # type: ignore[override]  # a page is its items, not its fields
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)
