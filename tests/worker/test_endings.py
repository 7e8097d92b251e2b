"""What each kind of end means."""

from __future__ import annotations

import pytest

from records.errors import DiskFull
from records.events import Failed, Finished, Interrupted
from worker.endings import StopReason, outcome_of

DONE, FAILED, STOPPED = Finished(summary={}), Failed(code="diverged", text="NaN"), Interrupted(step=7)


@pytest.mark.parametrize(
    ("status", "last_word", "stopped", "expected"),
    [
        (0, DONE, None, ("succeeded", None)),
        (0, DONE, StopReason.CANCEL, ("succeeded", None)),
        (0, DONE, StopReason.DRAIN, ("succeeded", None)),
        (0, None, None, ("failed", "child_died")),
        (1, DONE, None, ("failed", "child_died")),
        (255, DONE, None, ("succeeded", None)),
        (1, FAILED, None, ("failed", "diverged")),
        (1, FAILED, StopReason.DRAIN, ("failed", "diverged")),
        (75, STOPPED, StopReason.DRAIN, ("interrupted", "worker_stopped")),
        (-15, None, StopReason.DRAIN, ("interrupted", "worker_stopped")),
        (-9, None, StopReason.DRAIN, ("interrupted", "worker_stopped")),
        (-11, None, StopReason.DRAIN, ("failed", "child_died")),
        (75, STOPPED, None, ("failed", "child_died")),
        (75, STOPPED, StopReason.CANCEL, ("cancelled", "cancelled")),
        (-9, None, StopReason.CANCEL, ("cancelled", "cancelled")),
        (75, STOPPED, StopReason.TIME_LIMIT, ("failed", "time_limit")),
        (75, STOPPED, StopReason.OUTAGE, ("lost", "lease_expired")),
        (-11, None, None, ("failed", "child_died")),
        (75, STOPPED, StopReason.MAKE_ROOM, ("interrupted", "preempted")),
        (-9, None, StopReason.MAKE_ROOM, ("interrupted", "preempted")),
        (0, DONE, StopReason.MAKE_ROOM, ("succeeded", None)),
        (-9, None, StopReason.CAP, ("failed", "out_of_memory")),
        (1, FAILED, StopReason.CAP, ("failed", "out_of_memory")),
    ],
)
def test_an_end_has_one_meaning(status, last_word, stopped, expected):
    outcome = outcome_of(status, last_word, stopped=stopped, not_stored=None, oom_killed=False, time_limit_s=9)
    assert (outcome.status, outcome.code) == expected


def test_a_signal_is_named():
    outcome = outcome_of(-11, None, stopped=None, not_stored=None, oom_killed=False, time_limit_s=9)
    assert "SIGSEGV" in outcome.text


def test_a_kill_for_memory_is_told_from_another():
    outcome = outcome_of(-9, None, stopped=None, not_stored=None, oom_killed=True, time_limit_s=9)
    assert outcome.code == "out_of_memory"
    outcome = outcome_of(-11, None, stopped=None, not_stored=None, oom_killed=True, time_limit_s=9)
    assert outcome.code == "child_died"


@pytest.mark.parametrize(("status", "code"), [(-6, "out_of_memory"), (-11, "out_of_memory"), (-15, "child_died")])
def test_a_crash_for_want_of_memory_is_told_with_what_was_lent(status, code):
    known = {"stopped": None, "not_stored": None, "oom_killed": False, "time_limit_s": 9}
    outcome = outcome_of(status, None, ran_out=True, cap_words="It held 2 GB, and was lent 1 GB.", **known)
    assert outcome.code == code
    assert ("was lent 1 GB" in outcome.text) == (code == "out_of_memory")


def test_a_file_that_was_not_stored_counts_more_than_success():
    outcome = outcome_of(0, DONE, stopped=None, not_stored=DiskFull("full"), oom_killed=False, time_limit_s=9)
    assert (outcome.status, outcome.code) == ("failed", "disk_full")
