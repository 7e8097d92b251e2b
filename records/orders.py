"""What goes down a child's standard input: one JSON line with all that it needs, and nothing secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from records.thrift import Thrift


class OrderedDevice(BaseModel):
    """The device that the attempt holds a lease on, and how much of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    """`cpu:0`, `gpu:0` …"""
    kind: str
    """`cpu` or `gpu`."""
    index: int
    """Position among the machine's devices of this kind."""
    memory_bytes: int
    """Of its memory, so much is the child's: it must not take more."""
    threads: int
    """Processor threads that the child may use."""


class Order(BaseModel):
    """An attempt as the child sees it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    job_id: int
    attempt_number: int
    spec: dict[str, Any]
    """The job's spec, as `records.specs.parse_spec` takes it."""
    device: OrderedDevice
    thrift: Thrift | None = None
    """How to save memory where the spec's own way did not do; None to follow the spec."""
    inputs: dict[str, Path] = Field(default_factory=dict)
    """Staged inputs by role, as folders or files: `{"dataset": …}`."""
    facts: dict[str, str] = Field(default_factory=dict)
    """What the run's record should name: `dataset_sha256`, `trainyard_version`, `git_commit`."""
    checkpoint: Path | None = None
    """The checkpoint to continue from, already verified by its SHA-256."""
    cache: Path | None = None
    """A folder that attempts of this machine share, for what can be made again; without it, all goes into `folder`."""
    folder: Path
    """An empty folder of the attempt's own; everything the child writes goes under it."""
