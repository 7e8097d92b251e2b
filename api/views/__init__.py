"""The shapes of the replies, as classes: OpenAPI is made from them, and tests hold every reply against them.

One file a subject. `api.shapes` makes the replies themselves, as plain dicts.
"""

from __future__ import annotations

from api.views.base import Reason, View, page_of
from api.views.comparing import ComparedField, ComparedJob, ComparedNumber, Comparison
from api.views.datasets import Dataset, DatasetVersion, Fetched, IntakeStand, Upload
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
from api.views.jobs import Attempt, Job, JobEvent, Live, Thrift
from api.views.models import AliasMove, FullModel, ModelAlias, ModelFile, ModelVersion, RegisteredModel
from api.views.networks import (
    Network,
    NetworkDescription,
    NetworkLayer,
    NetworkLimits,
    NetworkOption,
    NetworkTotals,
    PretrainedWeights,
)
from api.views.people import AuditLine, InvitedUser, MadeToken, Me, Shown, Team, Token, User
from api.views.pictures import Picture
from api.views.predictions import LikelyClass, Prediction, SeenImage
from api.views.problems import FieldProblem, Problem
from api.views.runs import Artifact, LogLine, MetricPoint
from api.views.sharing import (
    DayUse,
    Device,
    ExpectedStart,
    Lease,
    Needs,
    PastJob,
    PersonUse,
    Promise,
    PromisesKept,
    Quota,
    Sooner,
    Taker,
    Waiting,
)
from api.views.yard import Alive, Check, Readiness, SpecSchema, Version

__all__ = [
    "Accuracy",
    "AliasMove",
    "Alive",
    "Artifact",
    "Attempt",
    "AuditLine",
    "ByHand",
    "Check",
    "ComparedField",
    "ComparedJob",
    "ComparedNumber",
    "Comparison",
    "CorrectedPeak",
    "Dataset",
    "DatasetVersion",
    "DayUse",
    "Device",
    "Estimate",
    "ExpectedStart",
    "Fetched",
    "FieldProblem",
    "Fit",
    "FullEstimate",
    "FullModel",
    "IntakeStand",
    "InvitedUser",
    "Job",
    "JobEvent",
    "Lease",
    "LikelyClass",
    "Live",
    "LogLine",
    "MadeToken",
    "Me",
    "MeasuredPeak",
    "MetricPoint",
    "ModelAlias",
    "ModelFile",
    "ModelVersion",
    "MultiplyAdds",
    "Needs",
    "Network",
    "NetworkDescription",
    "NetworkLayer",
    "NetworkLimits",
    "NetworkOption",
    "NetworkTotals",
    "Pace",
    "ParameterCounts",
    "PastJob",
    "Peak",
    "PersonUse",
    "Picture",
    "Prediction",
    "PretrainedWeights",
    "Problem",
    "Promise",
    "PromisesKept",
    "Quota",
    "Readiness",
    "Reason",
    "RegisteredModel",
    "Remedy",
    "SeenImage",
    "Shown",
    "Sooner",
    "SpecSchema",
    "Taker",
    "Team",
    "Thrift",
    "Token",
    "Upload",
    "User",
    "Version",
    "View",
    "Waiting",
    "page_of",
]
