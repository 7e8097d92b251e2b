"""The one place that reads the environment. Everything else is handed a `Settings`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """How a yard runs. Each field is the environment variable `TRAINYARD_<FIELD>` unless another is named."""

    model_config = SettingsConfigDict(
        env_prefix="TRAINYARD_",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
        populate_by_name=True,
    )

    home: Path = Path("~/.trainyard")
    """Folder of everything the yard keeps on this machine."""
    database_url: SecretStr | None = Field(
        None, validation_alias=AliasChoices("TRAINYARD_DATABASE_URL", "DATABASE_URL")
    )
    """`postgresql://…` or `sqlite:///…` (variable `DATABASE_URL`); without it, SQLite in the home."""
    redis_url: SecretStr | None = Field(None, validation_alias=AliasChoices("TRAINYARD_REDIS_URL", "REDIS_URL"))
    """`redis://…` (variable `REDIS_URL`); without it, `trainyard up` starts an embedded server."""
    blobs: Path | None = None
    """Folder of stored files; without it, `blobs` in the home."""
    blobs_url: SecretStr | None = None
    """`s3://KEY:SECRET@HOST/BUCKET/PREFIX` of an S3-compatible store that has the stored files instead of a folder."""
    data: Annotated[tuple[Path, ...], NoDecode] = ()
    """Folders (separated by `:`) with datasets at hand, a subfolder each: `DIR/mnist/train-images-idx3-ubyte.gz`."""

    dataset_folders: Annotated[tuple[Path, ...], NoDecode] = ()
    """Folders (separated by `:`) on workers' machines from which administrators may take datasets; the API and the
    worker must both name them."""
    max_upload_bytes: int = Field(20_000_000_000, ge=1)
    """Largest archive that a person may upload, in bytes."""
    max_upload_streams: int = Field(4, ge=1)
    """Uploads that one API process receives at the same moment; more are answered 429 and come again."""
    quota_dataset_bytes: int = Field(50_000_000_000, ge=0)
    """What the datasets and uploads of one person may take together, in bytes."""
    quota_datasets: int = Field(100, ge=0)
    """How many datasets a person may have."""
    quota_images: int = Field(1_000_000, ge=0)
    """Images in all datasets of a person together, of each its largest version."""
    intake_limit_s: float = Field(3600.0, gt=0.0)
    """Time that the check of one uploaded dataset may take, in seconds."""
    intake_processes: int = Field(2, ge=1, le=64)
    """Images that a worker decodes at once while it checks an uploaded dataset."""
    cache_bytes: int = Field(50_000_000_000, ge=0)
    """A worker drops the uploaded datasets that it has not used for longest when those unpacked take more, in bytes."""

    url: str = ""
    """Address of the yard that the command line and the client talk to; without it, the one running in the home."""
    token: SecretStr | None = None
    """Token that they send; without it, the administrator's in the home."""

    max_body_bytes: int = Field(1_000_000, ge=1_000)
    """Largest JSON body, in bytes."""
    max_streams: int = Field(8, ge=0)
    """Event streams that one API process serves at once; more are answered 429 and poll instead."""
    rate_limit: str = "6000/minute"
    """Requests a person may send, in Flask-Limiter's words."""
    proxies: int = Field(0, ge=0, le=10)
    """Reverse proxies before the API, whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed."""
    min_free_bytes: int = Field(200_000_000, ge=0)
    """`/readyz` reports the disk as degraded below this."""

    metrics_token: SecretStr | None = None
    """A secret that opens `/metrics` and nothing else, for Prometheus; without it, only administrators may read it."""
    log_format: Literal["text", "json"] = "text"
    """How the API and the workers write their logs: lines for people, or one JSON object a line."""

    predict_wait_s: float = Field(20.0, ge=0.0)
    """How long a request for a prediction waits for its answer, in seconds; then it is answered 202."""
    max_predict_waits: int = Field(4, ge=0)
    """Such requests that wait in one API process at once; more are answered 202 without waiting."""
    predict_images: int = Field(64, ge=1)
    """Images of one prediction."""
    predict_image_bytes: int = Field(20_000_000, ge=1)
    """Largest file of such an image, in bytes."""
    predict_body_bytes: int = Field(64_000_000, ge=1_000)
    """Largest request for a prediction, in bytes."""
    predict_image_pixels: int = Field(64_000_000, ge=64)
    """Width times height that such an image may have."""
    predict_open: int = Field(16, ge=1)
    """Predictions that a person may have without an answer."""
    predict_kept_s: float = Field(86_400.0, gt=0.0)
    """How long a prediction can be asked for, in seconds; its images go as soon as it is answered."""
    predict_models: int = Field(3, ge=1)
    """Models that a worker's predictor holds ready."""
    predict_threads: int = Field(1, ge=0)
    """Processor threads that the predictor may use; 0 means all."""
    predict_memory_bytes: int = Field(2_000_000_000, ge=200_000_000)
    """Main memory that the predictor may take; the CPU lends so much less to jobs. At most a quarter of what it has."""
    predict_idle_s: float = Field(600.0, gt=0.0)
    """A predictor that nobody asked for so long ends and gives its memory back, in seconds."""
    predict_limit_s: float = Field(60.0, gt=0.0)
    """Time that a predictor has for one prediction, in seconds; then it is ended."""

    max_picture_bytes: int = Field(40_000_000, ge=1_000)
    """Largest file of a picture for style transfer, in bytes."""
    picture_pixels: int = Field(64_000_000, ge=64)
    """Width times height that such a picture may have."""
    quota_pictures: int = Field(500, ge=0)
    """How many such pictures a person may have; those that no job names go after a day."""
    retention_days: int = Field(0, ge=0)
    """Files and logs of jobs that ended so many days ago are removed; 0 keeps them for ever."""
    retention_bytes: int = Field(0, ge=0)
    """Where the files of jobs take more, in bytes, those of the jobs that ended first are removed; 0 sets no limit."""

    worker_name: str = Field("", max_length=100)
    """Name of this machine's worker; without it, host name and home folder's name."""
    child_start: Literal["preload", "spawn"] = "preload"
    """How children start: forked from a process that has imported TensorFlow, or as a fresh interpreter."""
    cpu_threads: int = Field(0, ge=0)
    """Processor threads that the CPU lends to jobs, all together; 0 means all."""
    job_threads: int = Field(0, ge=0)
    """Processor threads for a job on the CPU whose spec asks for none; 0 means one for a small training, else all."""
    gpu_jobs: int = Field(8, ge=1, le=64)
    """Jobs that may share a GPU, if their memory fits."""
    devices: str = Field("", max_length=10_000)
    """Devices declared by hand, for tests and what-if: `cpu:0=4GB/1,gpu:0=8GB` (name, memory, threads)."""
    ready_cache_bytes: int = Field(20_000_000_000, ge=0)
    """Room on a worker for photographs that are kept in the size that jobs want; the least used go first."""
    flush_s: float = Field(1.0, gt=0.0)
    """Time between a worker's writes for a running attempt, in seconds."""
    lease_s: float = Field(30.0, gt=0.0)
    """How long an attempt may stay silent before another worker may have its job, in seconds."""
    sweep_s: float = Field(5.0, gt=0.0)
    """Time between sweeps for lapsed leases and unheard bells, in seconds."""
    stop_grace_s: float = Field(25.0, gt=0.0)
    """Time that a child has for its last checkpoint when the worker shuts down, in seconds."""
    cancel_grace_s: float = Field(3.0, gt=0.0)
    """Time that a cancelled child has to end by itself before it is killed, in seconds."""

    half_life_s: float = Field(6 * 3600.0, ge=60.0)
    """Time after which what somebody has used of the devices counts half, in seconds."""
    shares: Annotated[dict[str, float], NoDecode] = Field(default_factory=dict)
    """Shares due to people beside others, `ada=2,bob=0.5`; 1 for who is not named."""
    most_queued: int = Field(0, ge=0)
    """Jobs that a member may have waiting; 0 is no limit."""
    most_running: int = Field(0, ge=0)
    """Jobs of one person that run at a time; 0 is no limit."""
    most_week_hours: float = Field(0.0, ge=0.0)
    """Hours of whole devices that a member may use in seven days; 0 is no limit."""
    most_priority: int = Field(100, ge=-100, le=100)
    """Highest `priority` that a member may ask for."""
    preemption: bool = False
    """Whether a job of higher priority may send running ones of lower priority back to the queue."""
    least_run_s: float = Field(600.0, ge=0.0)
    """A job is not sent back before it has run so long, in seconds."""

    test_kinds: bool = False
    """Know the job kinds made for tests."""

    @field_validator("shares", mode="before")
    @classmethod
    def _read_shares(cls, value: object) -> object:
        return parse_shares(value) if isinstance(value, str) else value

    def model_post_init(self, context: object) -> None:
        """Make paths absolute once, so that every process of the yard means the same folders."""
        object.__setattr__(self, "home", self.home.expanduser().absolute())
        if self.blobs is not None:
            object.__setattr__(self, "blobs", self.blobs.expanduser().absolute())

    @classmethod
    def from_environment(cls) -> Settings:
        """Read the environment, once, at the start of a process.

        `TRAINYARD_SECRETS` names a folder in which a file stands for a variable: `database_url`, `redis_url`,
        `trainyard_metrics_token` … A variable wins over a file.
        """
        folder: Any = {"_secrets_dir": os.environ.get("TRAINYARD_SECRETS") or None}
        return cls(**folder, data=_folders("TRAINYARD_DATA"), dataset_folders=_folders("TRAINYARD_DATASET_FOLDERS"))

    @property
    def database_address(self) -> str:
        """The database's URL with the driver that the yard uses."""
        if self.database_url is None:
            return f"sqlite:///{self.home / 'yard.sqlite'}"
        url = self.database_url.get_secret_value()
        for prefix in ("postgresql://", "postgres://"):
            if url.startswith(prefix):
                return "postgresql+psycopg://" + url.removeprefix(prefix)
        return url

    @property
    def redis_address(self) -> str:
        """The broker's URL; an address where nothing listens when none is set."""
        return self.redis_url.get_secret_value() if self.redis_url else "redis://127.0.0.1:1/0"

    @property
    def blob_folder(self) -> Path:
        """Where stored files lie."""
        return self.blobs or self.home / "blobs"

    @property
    def cache_folder(self) -> Path:
        """Where verified datasets lie; everything in it can be fetched again."""
        return self.home / "cache"

    @property
    def scratch_folder(self) -> Path:
        """Where attempts work; emptied when a worker starts."""
        return self.home / "scratch"


def _folders(variable: str) -> tuple[Path, ...]:
    return tuple(Path(p).expanduser().absolute() for p in os.environ.get(variable, "").split(":") if p)


def parse_shares(text: str) -> dict[str, float]:
    """The shares in `ada=2,bob=0.5`.

    Raises:
        ValueError: a part has another form, or a share is not above zero.
    """
    shares: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = part.partition("=")
        try:
            shares[name.strip()] = float(number)
        except ValueError:
            raise ValueError(f"expected NAME=SHARE, such as ada=2, got {part!r}") from None
        if not 0 < shares[name.strip()] < 1e6:
            raise ValueError(f"expected a share above 0 for {name.strip()!r}, got {number!r}")
    return shares


CHILD_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "PYTHONPATH")
"""Variables that a child process may see. Nothing with a password is among them."""


def child_environment() -> dict[str, str]:
    """The environment for children: a short list of names, and the machine's CUDA and NVIDIA variables.

    TensorFlow's warnings stay on: where its CPU allocator is refused memory it crashes, and they alone say of what.
    """
    allowed = {name: os.environ[name] for name in CHILD_ENVIRONMENT if name in os.environ}
    vendor = {k: v for k, v in os.environ.items() if k.startswith(("CUDA_", "NVIDIA_", "OPENBLAS_", "OMP_"))}
    return {**allowed, **vendor, "TF_CPP_MIN_LOG_LEVEL": "1", "KERAS_BACKEND": "tensorflow"}


def tool_environment() -> dict[str, str]:
    """The environment for package tools that fetch datasets: proxies and certificates, but nothing of the yard's."""
    ours = ("TRAINYARD_", "DATABASE_URL", "REDIS_URL")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}
