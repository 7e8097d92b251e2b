"""Which jobs have a model that tells classes."""

from __future__ import annotations

from records.errors import Conflict
from records.library import RunCard
from records.specs.earlier import RECORD, Weights, weights_name
from records.states import FINISHED, JobStatus


def check_predicts(run: RunCard, weights: Weights) -> None:
    """See that a job left what its model is built again from.

    Raises:
        Conflict: its kind leaves no such model, or it has none yet, or ended without one.
    """
    from ml.kinds import KINDS

    if run.kind not in KINDS or not KINDS[run.kind].trains_classifier:
        kinds = " and ".join(kind for kind, known in KINDS.items() if known.trains_classifier)
        raise Conflict(f"A job of kind {run.kind} predicts nothing. Jobs of kind {kinds} do.")
    missing = [name for name in (RECORD, weights_name(weights)) if name not in run.artifacts]
    if not missing:
        return
    if run.status in FINISHED:
        ended = "was cancelled" if run.status == JobStatus.CANCELLED else f"has {run.status}"
        raise Conflict(f"Job {run.job_id} {ended} without a model: it kept no {' and no '.join(missing)}.")
    raise Conflict(f"Job {run.job_id} is {run.status} and has no model yet. Wait until it has succeeded.")
