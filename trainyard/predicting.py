"""Asking a trained model about images: many go in several requests, and each is waited for until it is answered."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from trainyard.errors import InvalidRequest, UnexpectedReply, YardFailed
from trainyard.results import Prediction, Reason, SeenImage
from trainyard.transport import Transport, decode

MOST_IMAGES, MOST_BYTES = 64, 48_000_000
"""Of one request, unless a single image has more; a yard takes so much unless its settings say otherwise."""
_WAIT_S = 20.0
_PAUSE_S = 0.5


class Upload(NamedTuple):
    """An image to send."""

    name: str
    content: bytes


def predict(
    transport: Transport, job: str, images: Iterable[Path | str], *, timeout_s: float, **options: Any
) -> Iterator[SeenImage]:
    """What the model says of each image, in their order.

    Args:
        transport: to the yard.
        job: the path of the job.
        images: files.
        timeout_s: how long to wait for the answer to one request, in seconds.
        options: the query of the request.

    Raises:
        TimeoutError: no worker has answered within that time.
    """
    for uploads in _requests(Path(image) for image in images):
        yield from _ask(transport, job, uploads, timeout_s, options)


def _requests(paths: Iterable[Path]) -> Iterator[list[Upload]]:
    """The images in requests that are not too large."""
    uploads: list[Upload] = []
    for path in paths:
        upload = Upload(path.name, path.read_bytes())
        size = sum(len(one.content) for one in uploads) + len(upload.content)
        if uploads and (len(uploads) == MOST_IMAGES or size > MOST_BYTES):
            yield uploads
            uploads = []
        uploads.append(upload)
    if uploads:
        yield uploads


def _ask(
    transport: Transport, job: str, uploads: Sequence[Upload], timeout_s: float, options: dict[str, Any]
) -> Sequence[SeenImage]:
    deadline = time.monotonic() + timeout_s
    files = [("images", upload) for upload in uploads]
    params = {**options, "wait_s": min(timeout_s, _WAIT_S)}
    try:
        prediction = _parse(decode(transport.send("POST", f"{job}/predict", params=params, files=files)))
    except InvalidRequest as error:
        if error.code != "unreadable_images":
            raise
        return [_unreadable(problem.path, problem.text) for problem in error.problems]
    while prediction.status in ("waiting", "running"):
        if time.monotonic() > deadline:
            raise TimeoutError(f"Prediction {prediction.id} is {prediction.status} after {timeout_s:g} s.")
        time.sleep(_PAUSE_S)
        prediction = _parse(transport.read(f"/api/v1/predictions/{prediction.id}"))
    if prediction.reason is not None:
        raise YardFailed(prediction.reason.text or "", code=prediction.reason.code, status=503)
    return prediction.images


def _unreadable(name: str, text: str) -> SeenImage:
    return SeenImage(name=name, problem=Reason(code="unreadable", text=text))


def _parse(value: Any) -> Prediction:
    try:
        return Prediction.model_validate(value)
    except ValidationError as error:
        raise UnexpectedReply(f"The yard answered in another shape than a prediction's: {error}.") from error
