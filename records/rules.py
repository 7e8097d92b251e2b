"""How this yard shares its devices, as its settings say: by name of person, where the planner goes by number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from records.placing import Policy
from records.placing.policy import HALF_LIFE_S
from records.settings import Settings
from records.tables import UserTable


@dataclass(frozen=True)
class Rules:
    """The settings that matter to the scheduler. A limit of 0 is none."""

    half_life_s: float = HALF_LIFE_S
    shares: Mapping[str, float] = field(default_factory=dict)
    """By name of person: the share due to them beside others; 1 for who is not named."""
    most_running: int = 0
    most_week_hours: float = 0.0
    preempts: bool = False
    least_run_s: float = 600.0

    @classmethod
    def of(cls, settings: Settings) -> Rules:
        """The rules of these settings."""
        return cls(
            half_life_s=settings.half_life_s,
            shares=settings.shares,
            most_running=settings.most_running,
            most_week_hours=settings.most_week_hours,
            preempts=settings.preemption,
            least_run_s=settings.least_run_s,
        )

    def policy(self, session: Session) -> Policy:
        """The planner's policy: people by number. Shares by team would be resolved here as well."""
        weights = {}
        if self.shares:
            people = session.execute(select(UserTable.id, UserTable.name).where(UserTable.name.in_(self.shares)))
            weights = {id: self.shares[name] for id, name in people}
        return Policy(
            half_life_s=self.half_life_s,
            weights=weights,
            most_running=self.most_running or None,
            preempts=self.preempts,
            least_run_s=self.least_run_s,
        )
