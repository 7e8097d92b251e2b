"""What follows an attempt: every case worked out by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest

from records.errors import JobError, PermanentJobError, TransientJobError
from records.retries import Outcome, decide

FAILED, QUEUED, SUCCEEDED, CANCELLED = "failed", "queued", "succeeded", "cancelled"
TRANSIENT = Outcome.failed("child_died", "It died.")
PERMANENT = Outcome.failed("diverged", "NaN.")
LOST = Outcome.lost("Silent.")
INTERRUPTED = Outcome.interrupted("Stops.")


@pytest.mark.parametrize(
    ("outcome", "started", "left", "spent", "status", "code", "spends", "wait_s"),
    [
        (Outcome.succeeded(), True, 2, 0, SUCCEEDED, None, False, 0),
        (Outcome.succeeded(), True, 0, 2, SUCCEEDED, None, False, 0),
        (Outcome.cancelled(), True, 2, 0, CANCELLED, "cancelled", False, 0),
        (Outcome.cancelled(), False, 2, 0, CANCELLED, "cancelled", False, 0),
        (INTERRUPTED, True, 2, 0, QUEUED, "worker_stopped", False, 0),
        (INTERRUPTED, True, 0, 2, QUEUED, "worker_stopped", False, 0),
        (INTERRUPTED, False, 0, 2, QUEUED, "worker_stopped", False, 0),
        (PERMANENT, True, 2, 0, FAILED, "diverged", False, 0),
        (PERMANENT, True, 0, 2, FAILED, "diverged", False, 0),
        (TRANSIENT, True, 2, 0, QUEUED, "child_died", True, 5),
        (TRANSIENT, True, 2, 1, QUEUED, "child_died", True, 30),
        (TRANSIENT, True, 2, 2, QUEUED, "child_died", True, 120),
        (TRANSIENT, True, 2, 9, QUEUED, "child_died", True, 120),
        (TRANSIENT, True, 1, 1, QUEUED, "child_died", True, 30),
        (TRANSIENT, True, 0, 2, FAILED, "child_died", False, 0),
        (TRANSIENT, False, 0, 2, QUEUED, "child_died", False, 0),
        (LOST, True, 1, 5, QUEUED, "lease_expired", True, 0),
        (LOST, True, 0, 5, FAILED, "lease_expired", False, 0),
        (LOST, False, 0, 0, QUEUED, "lease_expired", False, 0),
    ],
)
def test_what_follows_an_attempt(outcome, started, left, spent, status, code, spends, wait_s):
    verdict = decide(outcome, started=started, retries_left=left, retries_spent=spent)
    assert (verdict.status, verdict.code, verdict.spends_retry) == (status, code, spends)
    assert verdict.wait == timedelta(seconds=wait_s)


def all_below(cls):
    return [sub for child in cls.__subclasses__() for sub in (child, *all_below(child))]


@pytest.mark.parametrize("error", all_below(JobError), ids=lambda error: error.__name__)
def test_the_class_of_an_error_alone_decides_whether_it_is_tried_again(error):
    verdict = decide(Outcome.failed(error.code, "x"), started=True, retries_left=1, retries_spent=0)
    expected = QUEUED if issubclass(error, TransientJobError) else FAILED
    assert issubclass(error, TransientJobError) != issubclass(error, PermanentJobError)
    assert verdict.status == expected


def test_a_job_that_fails_for_want_of_retries_says_so():
    verdict = decide(TRANSIENT, started=True, retries_left=0, retries_spent=2)
    assert verdict.text == "It died. No retry is left."
