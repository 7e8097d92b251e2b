"""`place`: which waiting job gets how much of which device. Pure functions of a snapshot; no SQL, no clock, no chance.

The same function runs the yard, tells a job why it waits and when it is expected to start, answers what-if questions,
and replays past queues under another policy.
"""

from records.placing.order import in_order
from records.placing.plan import Forecast, Placement, Plan, Preemption, Reason
from records.placing.planner import place
from records.placing.policy import FIRST_COME, SHARED, WHOLE_FAIR, Policy
from records.placing.ranks import LAST_RANK, new_ranks
from records.placing.snapshot import WHOLE, Demand, Device, Lease, Snapshot, Span, WaitingJob

__all__ = [
    "FIRST_COME",
    "LAST_RANK",
    "SHARED",
    "WHOLE",
    "WHOLE_FAIR",
    "Demand",
    "Device",
    "Forecast",
    "Lease",
    "Placement",
    "Plan",
    "Policy",
    "Preemption",
    "Reason",
    "Snapshot",
    "Span",
    "WaitingJob",
    "in_order",
    "new_ranks",
    "place",
]
