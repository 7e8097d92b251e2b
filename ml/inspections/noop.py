"""`kind: noop`: nothing to check."""

from __future__ import annotations

from ml.inspections.inspection import Inspection
from records.library import Library
from records.specs import NoopSpec


def inspect_noop(spec: NoopSpec, library: Library) -> Inspection:
    """A noop needs nothing."""
    return Inspection()
