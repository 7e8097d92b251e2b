"""The life of one child process: an order in, events out, an exit status; or questions in and answers out.

Both ways to start a child end here: `python -m ml`, and a fork of a forkserver that preloaded `ml.preload`.
Importing this module loads neither Keras nor TensorFlow; running a kind that needs them does.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import traceback
from contextlib import suppress
from typing import Any, NoReturn, Protocol

from pydantic import TypeAdapter

from ml.engine.quiet import quieten
from ml.from_parent import ParentLines
from ml.kinds import load_recipe
from ml.reporter import LONGEST_TEXT, Interruption, PipeClosed, PipeWriter, Reporter
from ml.shortages import means_out_of_memory
from records.errors import DiskFull, JobError, OutOfMemory, RecipeFailed, TrainyardError
from records.events import INTERRUPTED_EXIT, Failed, Finished, Interrupted
from records.orders import Order, OrderedDevice
from records.questions import PredictorOrder
from records.specs import parse_spec

FAILED_EXIT = 1
_ANY_ORDER: TypeAdapter[Order | PredictorOrder] = TypeAdapter(Order | PredictorOrder)


class HasDescriptor(Protocol):
    """An open file, or one end of a `multiprocessing.Pipe`."""

    def fileno(self) -> int: ...


def run_forked_child(orders: HasDescriptor, events: HasDescriptor, log: HasDescriptor | None = None) -> NoReturn:
    """`run_child` as the target of a `multiprocessing.Process`, which takes ends of pipes and wants an exit status.

    Of the pipe for orders, the forked process must hold the reading end alone, or it never sees its parent die.
    """
    sys.exit(run_child(orders, events.fileno(), log_fd=log.fileno() if log else None))


def run_child(orders: int | HasDescriptor, events_fd: int, *, log_fd: int | None = None) -> int:
    """Carry out the one order that comes down `orders`, or be the predictor that it asks for; the exit status.

    The process becomes the leader of its own group. It ends at once when `orders` reaches its end, because then the
    parent has died: keep the other side open for as long as the child shall live. SIGTERM asks for a checkpoint and
    an end with status 75.

    Args:
        orders: where one JSON line with a `records.orders.Order` comes from, or with a
            `records.questions.PredictorOrder` and then its questions; a descriptor or an open binary file.
        events_fd: where events or answers go, one JSON line each.
        log_fd: takes the place of standard output and error; None leaves them as they are.

    Returns:
        0 after Finished, 75 after Interrupted, 1 after Failed, or quietly 1 when nobody reads the events.
    """
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    _lead_own_group()
    if log_fd is not None:
        os.dup2(log_fd, 1)
        os.dup2(log_fd, 2)
    writer = PipeWriter(events_fd)
    try:
        return _answer(orders if isinstance(orders, int) else orders.fileno(), writer, stop)
    except PipeClosed:
        return FAILED_EXIT


def _answer(orders_fd: int, writer: PipeWriter, stop: threading.Event) -> int:
    lent: OrderedDevice | None = None
    try:
        lines = ParentLines(orders_fd)
        order = _ANY_ORDER.validate_json(next(lines))
        lent = order.device
        if isinstance(order, PredictorOrder):
            return _serve(order, lines, writer)
        summary = _run_recipe(order, Reporter(writer, stop=stop))
    except Interruption as interruption:
        writer(Interrupted(step=interruption.step))
        return INTERRUPTED_EXIT
    except PipeClosed:
        raise
    except Exception as error:
        traceback.print_exc()
        ours = as_job_error(error, lent)
        writer(Failed(code=ours.code, text=ours.text[:LONGEST_TEXT]))
        return FAILED_EXIT
    writer(Finished(summary=summary))
    return 0


def _run_recipe(order: Order, reporter: Reporter) -> dict[str, Any]:
    reporter.stage("starting")
    spec = parse_spec(order.spec, test_kinds=True)
    quieten()
    recipe = load_recipe(spec.kind)
    if "tensorflow" in sys.modules:
        from ml.engine.device import prepare_device

        prepare_device(order.device)
    return recipe(spec, order, reporter)


def _serve(order: PredictorOrder, lines: ParentLines, writer: PipeWriter) -> int:
    """Answer questions until the parent ends this process."""
    quieten()
    from ml.engine.device import prepare_device
    from ml.predicting.service import serve

    prepare_device(order.device)
    serve(order, lines, writer, as_job_error=as_job_error)
    return 0


def as_job_error(error: Exception, lent: OrderedDevice | None = None) -> JobError:
    """A foreign error as one of ours; ours stay what they are.

    Args:
        error: whatever was raised.
        lent: what the child was lent of which device, for the text.
    """
    if isinstance(error, JobError):
        return error
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, TrainyardError):
        return RecipeFailed(error.text)
    if _is_disk_full(error):
        return DiskFull(f"Expected room for the files of this attempt, but the disk is full ({text[:500]}). Free some.")
    if means_out_of_memory(error):
        part = f"the {lent.memory_bytes / 1e9:.1f} GB of {lent.name} that it was lent" if lent else "its device has"
        return OutOfMemory(
            f"A step needs more memory than {part} ({text[:500]}). "
            "Choose a smaller batch or network, or a larger device."
        )
    return RecipeFailed(f"The recipe ended with an error of its own; the log holds the traceback. {text[:2000]}")


def _is_disk_full(error: Exception) -> bool:
    """ENOSPC or EDQUOT, also where h5py or TensorFlow hide the number in their text."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    known = isinstance(error, OSError) or _is_tensorflow(error, "OpError")
    return known and any(os.strerror(number) in str(error) for number in (errno.ENOSPC, errno.EDQUOT))


def _is_tensorflow(error: Exception, name: str) -> bool:
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(error, getattr(tensorflow.errors, name))


def _lead_own_group() -> None:
    with suppress(PermissionError):  # already the leader: the parent started it so
        os.setsid()
