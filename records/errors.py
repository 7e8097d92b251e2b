"""Every error that the yard raises on purpose, as one tree.

TrainyardError
├── RequestError            the caller must change something; carries the HTTP status
│   ├── InvalidSpec         422  a field is unknown, of the wrong type or out of range
│   ├── InvalidRequest      400  a query parameter, a cursor or a header makes no sense
│   │   └── UploadDamaged   400  an upload has other bytes than its sender announced
│   ├── NotJson             400  the body is not JSON
│   ├── Unauthorized        401  no token, or one that is unknown, expired or revoked
│   ├── Forbidden           403  the token is good, the act is not for this person
│   │   └── PriorityTooHigh 403  only administrators may ask for such a priority
│   ├── NotFound            404  nothing of that name is visible to this person
│   │   └── DatasetNotFetched 404 no worker has fetched this dataset yet
│   ├── MethodNotAllowed    405  the address exists, the method does not
│   ├── Conflict            409  the thing is not in a state that allows this
│   │   ├── WrongOffset     409  an upload goes on at another byte than the sender thinks
│   │   ├── DatasetInUse    409  jobs name the version that was to be deleted
│   │   ├── PictureInUse    409  a job names the picture that was to be deleted
│   │   └── QuotaReached    409  a person's datasets or pictures would be more than they may
│   ├── PreconditionFailed  412  the thing is not as If-Match says
│   ├── PayloadTooLarge     413  the body is larger than the yard takes
│   ├── UnsupportedMediaType 415 the body is of another content type
│   ├── RangeNotSatisfiable 416  the byte range asked for lies outside the file
│   ├── IdempotencyKeyReused 422 the same key came with another body
│   ├── UnreadableImages    422  none of the images can be read
│   ├── PreconditionRequired 428 the thing may only be changed with If-Match
│   ├── TooManyRequests     429  a limit was reached
│   │   ├── QueueQuotaReached 429 as many of this person's jobs wait as may
│   │   ├── TooManyStreams  429  all event streams of this process are taken
│   │   ├── TooManyUploads  429  this process receives as many uploads as it may
│   │   └── TooManyPredictions 429 a person has many predictions without an answer
│   └── NotAvailable        503  a part of the yard is not there at present
│       └── PredictionFailed 503 a worker could not answer; carries the code that says why
├── JobError                an attempt ended badly; `records.retries` alone decides what follows
│   ├── PermanentJobError   trying again would end the same way
│   │   ├── DatasetUnreadable, DatasetMissing, DatasetUnsuitable, PictureUnsuitable, WeightsUnreadable,
│   │   ├── WeightsMissing, Diverged,
│   │   ├── DiskFull, OutOfMemory, TimeLimitReached, ResumeImpossible, ModelUnreadable, NotEqual,
│   │   └── ExportFailed, ExportDiffers, RecipeFailed
│   └── TransientJobError   another try may succeed
│       └── ChildDied, PredictorDied, FetchFailed, LeaseExpired, BlobUnavailable
├── BackupError             a backup cannot be made, is damaged, or may not be put into this yard
├── SchemaNewer             the database is of a later release than this code
├── OverCapacity            a device would be lent beyond what it has: the planner is wrong, nothing is written
└── LeaseLost               the attempt is no longer ours: stop quietly, write nothing
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import ClassVar


class TrainyardError(Exception):
    """An error with a stable code for programs and a sentence for people."""

    code: ClassVar[str] = "error"

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


# ── request errors ───────────────────────────────────────────────────────────────────────────────────────────


class RequestError(TrainyardError):
    """Raised when a caller must change something before the request can succeed."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"


@dataclass(frozen=True)
class FieldProblem:
    """What is wrong with one field: `path` is dotted (`schedule.warmup_epochs`), `text` a sentence."""

    path: str
    text: str


class InvalidSpec(RequestError):
    """Raised when a spec has an unknown field, a wrong type or a value out of range."""

    status = 422
    code = "invalid_spec"

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__("; ".join(f"{p.path or 'body'}: {p.text}" for p in problems))
        self.problems = tuple(problems)


class InvalidRequest(RequestError):
    """Raised when a query parameter, a cursor or a header makes no sense."""

    code = "invalid_request"


class UploadDamaged(InvalidRequest):
    """Raised when the bytes of an upload do not have the SHA-256 that its sender announced."""

    code = "upload_damaged"


class NotJson(RequestError):
    """Raised when a body that must be a JSON object is not."""

    code = "not_json"


class Unauthorized(RequestError):
    """Raised when a request has no token, or one that is unknown, expired or revoked."""

    status = 401
    code = "unauthorized"


class Forbidden(RequestError):
    """Raised when the token is good but this act is not for its owner."""

    status = 403
    code = "forbidden"


class PriorityTooHigh(Forbidden):
    """Raised when a member asks for a priority that only administrators may have."""

    code = "priority_too_high"


class NotFound(RequestError):
    """Raised when nothing of that name exists, or none that this person may see."""

    status = 404
    code = "not_found"


class DatasetNotFetched(NotFound):
    """Raised when a dataset is in the catalogue, but no worker of this yard has fetched it yet."""

    code = "dataset_not_fetched"


class MethodNotAllowed(RequestError):
    """Raised when the address exists but not for this method."""

    status = 405
    code = "method_not_allowed"


class Conflict(RequestError):
    """Raised when a thing is not in a state that allows what was asked."""

    status = 409
    code = "conflict"


class WrongOffset(Conflict):
    """Raised when bytes come for another place of an upload than where it goes on."""

    code = "wrong_offset"

    def __init__(self, offset: int) -> None:
        super().__init__(f"The upload goes on at byte {offset:,}. Send from there, with `Upload-Offset: {offset}`.")
        self.offset = offset


class DatasetInUse(Conflict):
    """Raised when a version of a dataset cannot be deleted because jobs name it."""

    code = "dataset_in_use"

    def __init__(self, text: str, *, jobs: Sequence[int], others: int) -> None:
        super().__init__(text)
        self.jobs = tuple(jobs)
        """Those that the asker may see, the newest first; at most a hundred."""
        self.others = others
        """How many more there are."""


class PictureInUse(Conflict):
    """Raised when a picture cannot be deleted because a job names it."""

    code = "picture_in_use"


class QuotaReached(Conflict):
    """Raised when a person's datasets or pictures would be more, or larger, than they may be."""

    code = "quota_reached"


class PreconditionFailed(RequestError):
    """Raised when a thing is not in the state that the caller's If-Match tells of."""

    status = 412
    code = "precondition_failed"


class PreconditionRequired(RequestError):
    """Raised when a thing that others may change too must not be changed without If-Match."""

    status = 428
    code = "precondition_required"


class PayloadTooLarge(RequestError):
    """Raised when a body is larger than the yard takes."""

    status = 413
    code = "payload_too_large"


class UnsupportedMediaType(RequestError):
    """Raised when a body is of another content type than the route takes."""

    status = 415
    code = "unsupported_media_type"


class RangeNotSatisfiable(RequestError):
    """Raised when the byte range asked for lies outside the file."""

    status = 416
    code = "range_not_satisfiable"


class IdempotencyKeyReused(RequestError):
    """Raised when an Idempotency-Key comes again with another body."""

    status = 422
    code = "idempotency_key_reused"


class UnreadableImages(RequestError):
    """Raised when none of the images that came can be read; `problems` names each."""

    status = 422
    code = "unreadable_images"

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__(" ".join(f"{p.path}: {p.text}" for p in problems[:3]))
        self.problems = tuple(problems)


class TooManyRequests(RequestError):
    """Raised when a limit on requests or streams was reached."""

    status = 429
    code = "too_many_requests"


class TooManyStreams(TooManyRequests):
    """Raised when every event stream that one process may serve is taken: poll instead."""

    code = "too_many_streams"


class QueueQuotaReached(TooManyRequests):
    """Raised when as many of somebody's jobs wait as this yard allows: wait until some have started."""

    code = "queue_quota_reached"


class TooManyUploads(TooManyRequests):
    """Raised when one process receives as many uploads as it may: send the same bytes again later."""

    code = "too_many_uploads"


class TooManyPredictions(TooManyRequests):
    """Raised when a person has as many predictions without an answer as they may have."""

    code = "too_many_predictions"


class NotAvailable(RequestError):
    """Raised when a part of the yard that the request needs is not there at present."""

    status = 503
    code = "not_available"


class PredictionFailed(NotAvailable):
    """Raised when a worker took a prediction up and could not answer it; each carries the code that says why."""

    code = "prediction_failed"

    def __init__(self, text: str, *, code: str) -> None:
        super().__init__(text)
        self.code = code  # type: ignore[misc]  # here the code comes from the worker, not from the class


# ── job errors ───────────────────────────────────────────────────────────────────────────────────────────────


class JobError(TrainyardError):
    """Raised when an attempt cannot go on."""

    code = "job_error"


class PermanentJobError(JobError):
    """Raised when another try would end the same way."""

    code = "permanent"


class TransientJobError(JobError):
    """Raised when another try may succeed."""

    code = "transient"


class DatasetMissing(PermanentJobError):
    """Raised when no source of a dataset answered, or none gave the right bytes."""

    code = "dataset_missing"


class DatasetUnreadable(PermanentJobError):
    """Raised when a dataset's files are not what their names say."""

    code = "dataset_unreadable"


class DatasetUnsuitable(PermanentJobError):
    """Raised when a dataset is sound, but this cannot be trained on it: a class has no image to train on."""

    code = "dataset_unsuitable"


class PictureUnsuitable(PermanentJobError):
    """Raised when an uploaded picture is sound, but a job can do nothing with it: a mask that shows nothing."""

    code = "picture_unsuitable"


class WeightsMissing(PermanentJobError):
    """Raised when no source of pretrained weights answered, or none gave the right bytes."""

    code = "weights_missing"


class WeightsUnreadable(PermanentJobError):
    """Raised when a file of weights is not what its name says, or does not fit the network."""

    code = "weights_unreadable"


class Diverged(PermanentJobError):
    """Raised when the loss is no longer a finite number."""

    code = "diverged"


class DiskFull(PermanentJobError):
    """Raised when there is no room for a checkpoint or an artifact; the earlier checkpoint survives."""

    code = "disk_full"


class OutOfMemory(PermanentJobError):
    """Raised when a device or the machine has no memory left for the step."""

    code = "out_of_memory"


class TimeLimitReached(PermanentJobError):
    """Raised when an attempt ran longer than its spec allows."""

    code = "time_limit"


class ResumeImpossible(PermanentJobError):
    """Raised when a checkpoint does not fit the spec or the network that should continue from it."""

    code = "resume_impossible"


class ModelUnreadable(PermanentJobError):
    """Raised when what a job kept of its model is not whole, or does not fit its spec."""

    code = "model_unreadable"


class NotEqual(PermanentJobError):
    """Raised when two networks that must say the same do not."""

    code = "not_equal"


class ExportFailed(PermanentJobError):
    """Raised when a model cannot be built again, or cannot be written in a format."""

    code = "export_failed"


class ExportDiffers(PermanentJobError):
    """Raised when an exported file gives other probabilities than the model that it was made from."""

    code = "export_differs"


class RecipeFailed(PermanentJobError):
    """Raised when a recipe ended with an error of its own; the log holds the traceback."""

    code = "recipe_failed"


class ChildDied(TransientJobError):
    """Raised when the child process ended without a word (killed, crashed)."""

    code = "child_died"


class PredictorDied(TransientJobError):
    """Raised when the predictor ended over a question (killed, crashed)."""

    code = "predictor_died"


class FetchFailed(TransientJobError):
    """Raised when a download broke off."""

    code = "fetch_failed"


class LeaseExpired(TransientJobError):
    """Raised when a worker was not heard from until its lease ran out."""

    code = "lease_expired"


class BlobUnavailable(TransientJobError):
    """Raised when stored bytes could not be read or written just now."""

    code = "blob_unavailable"


class OverCapacity(TrainyardError):
    """Raised when a lease would take more of a device than is left of it, whatever the planner thought."""

    code = "over_capacity"


class LeaseLost(TrainyardError):
    """Raised when a guarded write finds that the attempt is no longer open: stop, write nothing."""

    code = "lease_lost"


class BackupError(TrainyardError):
    """Raised when a backup cannot be made, is damaged, or may not be put into this yard."""

    code = "backup"


class SchemaNewer(TrainyardError):
    """Raised when the database has a schema that this code does not know: a later release has migrated it."""

    code = "schema_newer"


# ── looking up ───────────────────────────────────────────────────────────────────────────────────────────────


def job_error_class(code: str) -> type[JobError]:
    """The job error with this code; an unknown code counts as `RecipeFailed`."""
    for cls in _subclasses(JobError):
        if cls.code == code:
            return cls
    return RecipeFailed


def near_matches(name: str, known: Sequence[str]) -> str:
    """A sentence that helps with a misspelt name: the nearest known ones, else all of them."""
    near = get_close_matches(name[:100], known, n=3, cutoff=0.5)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return f"Known: {', '.join(sorted(known))}." if known else "None is known yet."


def shorten(text: object, limit: int = 80) -> str:
    """What came from outside, cut so that an error stays readable."""
    shown = str(text)
    return shown if len(shown) <= limit else f"{shown[:limit]}… ({len(shown)} characters)"


def _subclasses(cls: type[JobError]) -> Iterator[type[JobError]]:
    for sub in cls.__subclasses__():
        yield sub
        yield from _subclasses(sub)
