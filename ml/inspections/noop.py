"""`kind: noop`: nothing to check."""

from __future__ import annotations

from ml.inspections.inspection import Inspection
from records.library import Library
from records.specs import NoopSpec


def inspect_noop(spec: NoopSpec, library: Library) -> Inspection:
    """A noop needs nothing but the memory that it asks for."""
    if spec.memory_bytes is None:
        return Inspection()
    return Inspection(demand={kind: {"runtime_bytes": 0, "peak_bytes": spec.memory_bytes} for kind in ("cpu", "gpu")})
