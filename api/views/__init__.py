"""The shapes of the replies, as classes: OpenAPI is made from them, and tests hold every reply against them.

One file a subject. `api.shapes` makes the replies themselves, as plain dicts.
"""

from __future__ import annotations

from api.views.base import Reason, View, page_of
from api.views.datasets import Dataset, Fetched
from api.views.estimates import (
    Accuracy,
    ByHand,
    CorrectedPeak,
    Estimate,
    Fit,
    FullEstimate,
    MeasuredPeak,
    MultiplyAdds,
    Pace,
    ParameterCounts,
    Peak,
    Remedy,
)
from api.views.jobs import Attempt, Job, JobEvent, Live
from api.views.networks import Network, NetworkDescription, NetworkLayer, NetworkLimits, NetworkOption, NetworkTotals
from api.views.problems import FieldProblem, Problem
from api.views.runs import Artifact, LogLine, MetricPoint
from api.views.yard import Alive, Check, Device, Me, Readiness, SpecSchema, Version, Waiting

__all__ = [
    "Accuracy",
    "Alive",
    "Artifact",
    "Attempt",
    "ByHand",
    "Check",
    "CorrectedPeak",
    "Dataset",
    "Device",
    "Estimate",
    "Fetched",
    "FieldProblem",
    "Fit",
    "FullEstimate",
    "Job",
    "JobEvent",
    "Live",
    "LogLine",
    "Me",
    "MeasuredPeak",
    "MetricPoint",
    "MultiplyAdds",
    "Network",
    "NetworkDescription",
    "NetworkLayer",
    "NetworkLimits",
    "NetworkOption",
    "NetworkTotals",
    "Pace",
    "ParameterCounts",
    "Peak",
    "Problem",
    "Readiness",
    "Reason",
    "Remedy",
    "SpecSchema",
    "Version",
    "View",
    "Waiting",
    "page_of",
]
