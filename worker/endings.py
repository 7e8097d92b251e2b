"""What the end of a child means: one decision, from why it was stopped, its last word and its exit status. Pure."""

from __future__ import annotations

import signal
from enum import StrEnum

from records.errors import JobError
from records.events import INTERRUPTED_EXIT, Failed, Finished, Interrupted
from records.retries import Outcome

_CRASHES = frozenset({-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS})
"""How native code ends that was refused memory."""
LastWord = Finished | Failed | Interrupted | None


class StopReason(StrEnum):
    """Why a child must stop, the most pressing first."""

    LEASE_LOST = "lease_lost"
    NOT_STORED = "not_stored"
    """A file could not be stored, so going on would be for nothing."""
    CAP = "cap"
    """It holds more memory than it was lent."""
    CANCEL = "cancel"
    TIME_LIMIT = "time_limit"
    OUTAGE = "outage"
    """The database was away for as long as the lease holds."""
    MAKE_ROOM = "make_room"
    """A job of higher priority needs its place."""
    DRAIN = "drain"


GIVES_WAY = frozenset({StopReason.MAKE_ROOM, StopReason.DRAIN})
"""Reasons for which a child writes a checkpoint and its job goes on later, at no cost."""


def outcome_of(
    status: int,
    last_word: LastWord,
    *,
    stopped: StopReason | None,
    not_stored: JobError | None,
    oom_killed: bool,
    time_limit_s: int,
    ran_out: bool = False,
    cap_words: str = "",
) -> Outcome:
    """How an attempt whose child has ended is to be counted.

    Args:
        status: exit status, negative for a signal.
        last_word: the child's last event of those that end it.
        stopped: why the parent asked it to stop, if it did.
        not_stored: the error that kept a file from being stored.
        oom_killed: whether the kernel killed a process for want of memory meanwhile.
        time_limit_s: of the spec, for the text.
        ran_out: whether a child that crashed did so for want of the memory that it was lent.
        cap_words: what it was lent and what it held, for the text.
    """
    if not_stored is not None:
        return Outcome.failed(not_stored.code, not_stored.text)
    if isinstance(last_word, Finished) and status in (0, 255):  # 255: its status got lost with the preloaded process
        return Outcome.succeeded()
    if stopped is not None and stopped not in GIVES_WAY:
        return outcome_when_stopped(stopped, time_limit_s=time_limit_s, cap_words=cap_words)
    if isinstance(last_word, Failed):
        return Outcome.failed(last_word.code, last_word.text)
    if stopped is not None and _yielded(status):
        return _interrupted(last_word, stopped)
    if ran_out and status in _CRASHES:
        return Outcome.failed("out_of_memory", f"The child crashed for want of memory. {cap_words}")
    return _died(status, last_word, oom_killed)


def outcome_when_stopped(stopped: StopReason, *, time_limit_s: int, cap_words: str = "") -> Outcome:
    """How an attempt is to be counted that was stopped for a reason, whatever its child said."""
    match stopped:
        case StopReason.CANCEL:
            return Outcome.cancelled()
        case StopReason.TIME_LIMIT:
            text = f"The attempt ran longer than its limit of {time_limit_s} s. Raise `time_limit_s`, or ask for less."
            return Outcome.failed("time_limit", text)
        case StopReason.CAP:
            return Outcome.failed("out_of_memory", f"The child was stopped. {cap_words}")
        case StopReason.DRAIN:
            return Outcome.interrupted("The worker shut down before the child had begun.")
        case StopReason.MAKE_ROOM:
            return Outcome.interrupted("It made room before the child had begun.", code="preempted")
        case _:
            return Outcome.lost("The database could not be reached until the lease had run out.")


def signal_name(number: int) -> str:
    """`SIGSEGV` and the like, for people."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _yielded(status: int) -> bool:
    """Whether a child gave way to a shutdown: by itself, or because it was killed when its time was up."""
    return status in (INTERRUPTED_EXIT, 255, -signal.SIGTERM, -signal.SIGKILL)


def _interrupted(last_word: LastWord, stopped: StopReason) -> Outcome:
    made_room = stopped == StopReason.MAKE_ROOM
    why = "It made room for a job of higher priority" if made_room else "The worker shut down"
    code = "preempted" if made_room else "worker_stopped"
    if isinstance(last_word, Interrupted):
        return Outcome.interrupted(f"{why}; the job goes on from step {last_word.step}.", code=code)
    return Outcome.interrupted(f"{why}, and the child did not stop in time; its last checkpoint stands.", code=code)


def _died(status: int, last_word: LastWord, oom_killed: bool) -> Outcome:
    if status == -signal.SIGKILL and oom_killed:
        text = "The kernel killed the child because the machine, or its control group, had no memory left."
        return Outcome.failed("out_of_memory", f"{text} Choose a smaller batch or network, or a larger machine.")
    if isinstance(last_word, Interrupted):
        text = f"Somebody other than its worker asked the child to stop; it did so after step {last_word.step}."
        return Outcome.failed("child_died", text)
    if status < 0:
        return Outcome.failed("child_died", f"The child was killed by {signal_name(-status)}.")
    return Outcome.failed("child_died", f"The child ended with status {status} and without a word.")
