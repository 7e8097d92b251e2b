"""Which jobs have a model that tells classes, of images or of pixels."""

from __future__ import annotations

from records.errors import Conflict
from records.library import RunCard
from records.specs.earlier import RECORD, Weights, weights_name
from records.states import FINISHED, JobStatus


def check_predicts(run: RunCard, weights: Weights, *, pixels: bool = False) -> None:
    """See that a job left what its model is built again from.

    Args:
        run: of the job.
        weights: which.
        pixels: whether a model that tells classes of pixels will do, too.

    Raises:
        Conflict: its kind leaves no such model, or it has none yet, or ended without one.
    """
    from ml.kinds import KINDS

    known = KINDS.get(run.kind)
    if known is None or not (known.trains_classifier or (pixels and known.trains_segmenter)):
        kinds = [name for name, one in KINDS.items() if one.trains_classifier or (pixels and one.trains_segmenter)]
        told = "tells the classes of pixels, not of images" if known and known.trains_segmenter else "predicts nothing"
        raise Conflict(f"A job of kind {run.kind} {told}. Jobs of kind {' and '.join(kinds)} do.")
    missing = [name for name in (RECORD, weights_name(weights)) if name not in run.artifacts]
    if not missing:
        return
    if run.status in FINISHED:
        ended = "was cancelled" if run.status == JobStatus.CANCELLED else f"has {run.status}"
        raise Conflict(f"Job {run.job_id} {ended} without a model: it kept no {' and no '.join(missing)}.")
    raise Conflict(f"Job {run.job_id} is {run.status} and has no model yet. Wait until it has succeeded.")
