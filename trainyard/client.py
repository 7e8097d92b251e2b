"""The yard from Python.

yard = Client.from_environment()
job = yard.submit({"kind": "train", "dataset": "mnist", "network": {"name": "lenet5"}})
for job in yard.watch(job.id):
    print(job.status, f"{job.progress:.0%}", job.live.values)
yard.download(job.id, "model.keras")
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import BaseModel

from records.settings import Settings
from trainyard.download import download
from trainyard.errors import PreconditionFailed, UnexpectedReply, Unreachable
from trainyard.following import Follower
from trainyard.home import Home
from trainyard.own_datasets import OwnDatasets
from trainyard.people import People
from trainyard.picturing import upload_picture
from trainyard.predicting import predict
from trainyard.reader import present
from trainyard.registry import Registry
from trainyard.results import (
    Accuracy,
    Artifact,
    Comparison,
    Device,
    Estimate,
    Event,
    Job,
    LogLine,
    MetricPoint,
    Network,
    NetworkDescription,
    Page,
    PastJob,
    Picture,
    SeenImage,
    Waiting,
)
from trainyard.transport import Transport

_PATIENCE_S = 20.0
_LOG_PAUSE_S = 1.0
_EDITS = 5
"""How often an edit is tried again when somebody else's came before it."""


class Client(OwnDatasets):
    """A yard, as one person sees it.

    Every call may raise `trainyard.errors.Unreachable`, and an `ApiError` with the yard's code and text. While the
    yard cannot be reached, as when its API starts again, a call waits and tries again before it gives up.

    Args:
        url: of the yard, such as `http://127.0.0.1:8080`.
        token: of a person.
        patience_s: how long a call tries to reach the yard, in seconds.
    """

    def __init__(self, url: str, token: str = "", *, patience_s: float = _PATIENCE_S) -> None:
        super().__init__(Transport(url, token, patience_s=patience_s))

    @classmethod
    def from_environment(cls, *, patience_s: float = _PATIENCE_S) -> Client:
        """The yard of TRAINYARD_URL and TRAINYARD_TOKEN; what is not set comes from the one in TRAINYARD_HOME.

        Raises:
            Unreachable: no address is set and no yard runs in the home.
        """
        return cls.from_settings(Settings.from_environment(), patience_s=patience_s)

    @classmethod
    def from_settings(cls, settings: Settings, *, patience_s: float = _PATIENCE_S) -> Client:
        """Like `from_environment`, from settings at hand."""
        url, token_file = find_yard(settings)
        token = settings.token.get_secret_value() if settings.token else ""
        if not token and token_file.exists():
            token = token_file.read_text().strip()
        return cls(url, token, patience_s=patience_s)

    @property
    def models(self) -> Registry:
        """The registered models."""
        return Registry(self._transport)

    @property
    def people(self) -> People:
        """Accounts, tokens, teams, and who sees what."""
        return People(self._transport)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._transport.close()

    # ── jobs ─────────────────────────────────────────────────────────────────────────────────────────────────

    def submit(self, spec: Mapping[str, Any] | BaseModel, *, idempotency_key: str | None = None) -> Job:
        """Send a job. However often the request must be repeated, it makes one job.

        Args:
            spec: a spec of `records.specs`, or the same as a mapping.
            idempotency_key: makes one job of calls with the same key and spec; without it, each call makes one.
        """
        body = spec.model_dump(mode="json") if isinstance(spec, BaseModel) else dict(spec)
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        return self._one(Job, self._transport.send("POST", "/api/v1/jobs", json=body, headers=headers))

    def estimate(self, spec: Mapping[str, Any] | BaseModel) -> Estimate:
        """What a job would cost: memory, on which devices it fits, time. Nothing is queued.

        Args:
            spec: as `submit` takes it.
        """
        body = spec.model_dump(mode="json") if isinstance(spec, BaseModel) else dict(spec)
        return self._one(Estimate, self._transport.send("POST", "/api/v1/estimates", json=body))

    def accuracy(self, *, limit: int | None = None) -> Accuracy:
        """Estimated peaks beside measured ones, the newest first, and how far the estimates were off."""
        params = present({"limit": limit})
        return self._one(Accuracy, self._transport.send("GET", "/api/v1/estimates/accuracy", params=params))

    def get(self, job_id: int) -> Job:
        """A job."""
        return self._one(Job, self._transport.send("GET", _job(job_id)))

    def page(self, *, cursor: str | None = None, limit: int | None = None, **filters: Any) -> Page[Job]:
        """One page of jobs, the newest first; `filters` as `list` takes them."""
        params = present({"cursor": cursor, "limit": limit, **filters})
        return self._page(Job, "/api/v1/jobs", params)

    def list(
        self,
        *,
        status: str | Iterable[str] | None = None,
        kind: str | None = None,
        name: str | None = None,
        tag: str | Iterable[str] | None = None,
        mine: bool = False,
        limit: int | None = None,
    ) -> Iterator[Job]:
        """Jobs, the newest first, page after page as they are asked for.

        Args:
            status: only these.
            kind: only this kind.
            name: only jobs with this in their name.
            tag: only jobs with this tag, or with all of these.
            mine: only one's own, without what others show one.
            limit: at most so many in all.
        """
        statuses = status if status is None or isinstance(status, str) else tuple(status)
        page_size = min(limit, 200) if limit else None
        tags = tag if tag is None or isinstance(tag, str) else tuple(tag)
        params = {"status": statuses, "kind": kind, "name": name, "tag": tags, "mine": mine or None, "limit": page_size}
        found = self._all(Job, "/api/v1/jobs", present(params))
        return found if limit is None else (job for job, _ in zip(found, range(limit), strict=False))

    def watch(self, job_id: int) -> Iterator[Job]:
        """The job whenever it has changed: first as it is now, last as it ended."""
        return Follower(self._transport, job_id).follow()

    def wait(self, job_id: int, *, timeout_s: float | None = None) -> Job:
        """The job once it has finished.

        Raises:
            TimeoutError: it had not within that time.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        job = None
        for job in Follower(self._transport, job_id).follow(deadline=deadline):
            if job.is_finished:
                return job
        raise TimeoutError(f"Job {job_id} is {job.status if job else 'unknown'} after {timeout_s} s.")

    def cancel(self, job_id: int) -> Job:
        """Cancel a waiting job, or ask a running one to stop."""
        return self._one(Job, self._transport.send("POST", f"{_job(job_id)}/cancel"))

    def retry(self, job_id: int) -> Job:
        """Queue a failed or cancelled job again; it goes on from its last checkpoint."""
        return self._one(Job, self._transport.send("POST", f"{_job(job_id)}/retry", repeatable=False))

    # ── a trained model ──────────────────────────────────────────────────────────────────────────────────────────

    def predict(
        self,
        job_id: int,
        images: Iterable[Path | str],
        *,
        top: int = 3,
        weights: str = "best",
        invert: bool = False,
        timeout_s: float = 300.0,
    ) -> tuple[SeenImage, ...]:
        """What the model of a job that has trained says of images, in their order.

        An image that cannot be read has a `problem` and no classes; the others are told all the same. For a whole
        dataset, submit a job: `{"kind": "predict", "run": {"job": job_id}, "dataset": "mnist", "split": "test"}`.

        Args:
            job_id: of the job.
            images: files: JPEG, PNG, WebP, BMP, TIFF or GIF.
            top: how many classes to tell, the likeliest first.
            weights: `best` on the validation part, or `last`.
            invert: turn light and dark round first.
            timeout_s: how long to wait for the answer to one request of at most 64 images, in seconds.

        Raises:
            TimeoutError: no worker has answered within that time.
        """
        options = {"top": top, "weights": weights, "invert": invert}
        return tuple(predict(self._transport, _job(job_id), images, timeout_s=timeout_s, **options))

    # ── pictures ─────────────────────────────────────────────────────────────────────────────────────────────────

    def upload_picture(self, file: Path | str) -> Picture:
        """Send a picture that a spec can then name by its `id`, as that of a style transfer does.

        It is decoded and written anew: upright, on white where it was see-through, without metadata. One that no job
        names goes after a day.

        Args:
            file: JPEG, PNG, WebP, BMP, TIFF or GIF.

        Raises:
            InvalidRequest: it is no picture that the yard takes.
        """
        return upload_picture(self._transport, file)

    # ── runs beside each other ────────────────────────────────────────────────────────────────────────────────

    def clone(
        self, job_id: int, changes: Mapping[str, Any] | None = None, *, idempotency_key: str | None = None
    ) -> Job:
        """Send another job's spec with a few fields changed.

        Args:
            job_id: whose spec.
            changes: new values by dotted path, such as `{"learning_rate": 0.01, "network.options.width": 0.5}`; None
                as a value lets the default hold.
            idempotency_key: as in `submit`.
        """
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        body = {"changes": dict(changes or {})}
        return self._one(Job, self._transport.send("POST", f"{_job(job_id)}/clone", json=body, headers=headers))

    def export(self, run: int | str, formats: Iterable[str] = ("onnx",), **fields: Any) -> Job:
        """Send a job that writes a run's model in other formats, each file proved.

        Args:
            run: the job whose model it is, or a registered model: `digits@champion`.
            formats: of `keras`, `savedmodel`, `tflite`, `onnx`.
            fields: others of the spec.
        """
        return self.submit({"kind": "export", "run": run, "formats": list(formats), **fields})

    def edit(self, job_id: int, *, etag: str | None = None, **changes: Any) -> Job:
        """Change what is written on a job.

        Args:
            job_id: of the job.
            etag: the job's as one knows it; without it the last writer wins.
            changes: `name`, `note`, `tags` (all of them); None takes away.

        Raises:
            PreconditionFailed: somebody else has edited it since.
        """
        headers = {"If-Match": etag} if etag else {}
        return self._one(Job, self._transport.send("PATCH", _job(job_id), json=changes, headers=headers))

    def tag(self, job_id: int, add: Iterable[str] = (), remove: Iterable[str] = ()) -> Job:
        """Add tags to a job and take others away; what somebody else does to its tags meanwhile is kept."""
        add, remove = tuple(add), frozenset(remove)
        for _ in range(_EDITS):
            try:
                return self._tag_once(job_id, add, remove)
            except PreconditionFailed:
                continue
        return self._tag_once(job_id, add, remove)

    def compare(self, job_ids: Iterable[int]) -> Comparison:
        """Two to ten jobs side by side: what differs in their specs, and which did best."""
        ids = ",".join(str(int(job_id)) for job_id in job_ids)
        return self._parse(Comparison, self._transport.read("/api/v1/jobs/compare", params={"ids": ids}))

    # ── what a job left ──────────────────────────────────────────────────────────────────────────────────────

    def events(self, job_id: int, *, after: int = 0) -> Iterator[Event]:
        """What happened to a job, the oldest first."""
        return self._all(Event, f"{_job(job_id)}/events", {"after": after}, cursor="after")

    def metrics(
        self, job_id: int, name: str | None = None, *, after: int | None = None, max_points: int | None = None
    ) -> Iterator[MetricPoint]:
        """Points by name and step.

        Args:
            job_id: of the job.
            name: only this metric.
            after: only steps above this.
            max_points: at most so many of each metric; peaks survive.
        """
        params = present({"name": name, "after": after, "max_points": max_points})
        return self._all(MetricPoint, f"{_job(job_id)}/metrics", params)

    def logs(self, job_id: int, *, follow: bool = False) -> Iterator[LogLine]:
        """The job's log; with `follow`, also the lines still to come until the job has finished."""
        after, finished = 0, False
        while True:
            lines = 0
            for line in self._all(LogLine, f"{_job(job_id)}/logs", {"after": after}, cursor="after"):
                after, lines = line.id, lines + 1
                yield line
            if not follow or finished:
                return
            finished = self.get(job_id).is_finished  # asked before the last look at the log, so no line is missed
            if not lines and not finished:
                time.sleep(_LOG_PAUSE_S)

    def artifacts(self, job_id: int) -> Page[Artifact]:
        """The job's kept files by name."""
        return Page[Artifact](items=tuple(self._all(Artifact, f"{_job(job_id)}/artifacts", {})))

    def download(
        self,
        job_id: int,
        name: str,
        target: Path | str | None = None,
        *,
        tell: Callable[[int], None] = lambda done: None,
    ) -> Path:
        """Take an artifact, checked against its SHA-256; an interrupted download is taken up again.

        Args:
            job_id: of the job.
            name: of the artifact.
            target: a file, or a folder that is there; without it, the artifact's name in the present folder.
            tell: told how many bytes are here, now and then.

        Returns:
            The file.
        """
        artifact = self._find_artifact(job_id, name)
        path = Path(target) if target is not None else Path()
        path = path / artifact.name if path.is_dir() else path
        download(self._transport, f"{_job(job_id)}/artifacts/{quote(name, safe='')}", artifact, path, tell=tell)
        return path

    # ── the yard ─────────────────────────────────────────────────────────────────────────────────────────────

    def networks(self) -> Page[Network]:
        """The networks that the yard knows."""
        return Page[Network](items=tuple(self._all(Network, "/api/v1/networks", {})))

    def network(self, name: str) -> Network:
        """One network with its options."""
        return self._one(Network, self._transport.send("GET", f"/api/v1/networks/{quote(name, safe='')}"))

    def describe_network(self, network: Mapping[str, Any], **images: Any) -> NetworkDescription:
        """What a network is and costs, layer by layer; nothing is submitted.

        Args:
            network: as in a spec: `{"name": "resnet34"}`, or `{"layers": [...]}`.
            images: `dataset`; or `input_shape` (height, width, channels) and `classes`. A named network without them
                is described for the images of its paper.
        """
        return self._one(NetworkDescription, self._ask_network(network, images, "json"))

    def draw_network(self, network: Mapping[str, Any], **images: Any) -> str:
        """A drawing of a network, as an SVG document; the arguments are those of `describe_network`."""
        return self._ask_network(network, images, "svg").text

    def devices(self) -> Page[Device]:
        """The devices of workers that are not offline."""
        return Page[Device](items=tuple(self._all(Device, "/api/v1/devices", {})))

    def queue(self) -> Iterator[Waiting]:
        """The waiting jobs, the next first."""
        return self._all(Waiting, "/api/v1/queue", {})

    def history(self) -> Iterator[PastJob]:
        """Jobs that have run to their end, for administrators, the newest first: what `trainyard replay` plays."""
        return self._all(PastJob, "/api/v1/queue/history", {})

    def version(self) -> dict[str, Any]:
        """What the yard says of itself."""
        value: dict[str, Any] = self._transport.read("/version")
        return value

    def _ask_network(self, network: Mapping[str, Any], images: Mapping[str, Any], form: str) -> httpx.Response:
        body = {"network": network, **present(images)}
        return self._transport.send("POST", "/api/v1/networks/describe", json=body, params={"format": form})

    # ── replies ──────────────────────────────────────────────────────────────────────────────────────────────

    def _tag_once(self, job_id: int, add: Iterable[str], remove: Container[str]) -> Job:
        reply = self._transport.send("GET", _job(job_id))
        has = [tag for tag in self._one(Job, reply).tags if tag not in remove]
        return self.edit(job_id, etag=reply.headers["ETag"], tags=[*has, *(tag for tag in add if tag not in has)])

    def _find_artifact(self, job_id: int, name: str) -> Artifact:
        for artifact in self.artifacts(job_id):
            if artifact.name == name:
                return artifact
        self._transport.send("GET", f"{_job(job_id)}/artifacts/{quote(name, safe='')}")  # the yard names near ones
        raise UnexpectedReply(f"The yard has an artifact {name!r} of job {job_id}, but does not list it.")


def find_yard(settings: Settings) -> tuple[str, Path]:
    """The address of the yard that settings name, and the file that may hold the administrator's token.

    Raises:
        Unreachable: no address is set and no yard runs in the home.
    """
    home = Home(settings.home)
    url = settings.url or home.read_state().get("url", "")
    if not url:
        raise Unreachable(f"No yard runs in {home.folder}, and TRAINYARD_URL is not set.")
    return url, home.token_file


def _job(job_id: int) -> str:
    return f"/api/v1/jobs/{int(job_id)}"
