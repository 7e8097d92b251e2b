"""Changing who sees a thing. Whether somebody may: `records.access`. No function here commits."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, model_validator
from sqlalchemy.orm import Session

from records.access import TEAM, Viewer, Visibility
from records.database import lock_pass
from records.jobs import add_event, change, lock_job
from records.model_tables import RegisteredModelTable
from records.models import lock_model
from records.set_tables import ImageSetTable
from records.specs.base import Strict
from records.teams import NAME_FORM, find_team
from records.versions import lock_set


class Showing(Strict):
    """Who is to see a thing."""

    visibility: Visibility
    """`private`: its owner alone; `team`: also the members of a team; `public`: everybody with an account here."""
    team: Annotated[str, Field(pattern=f"^{NAME_FORM}$", max_length=63)] | None = None
    """Which team; one's own."""

    @model_validator(mode="after")
    def _team_where_one_is_meant(self) -> Showing:
        if (self.visibility == TEAM) != (self.team is not None):
            raise ValueError("Expected a `team` where the visibility is `team`, and nowhere else")
        return self

    def __str__(self) -> str:
        return f"team {self.team}" if self.team else self.visibility


def show_job(session: Session, job_id: int, wanted: Showing, *, viewer: Viewer, actor: str, at: datetime) -> None:
    """Say who sees a job, with its run and all that it kept.

    Raises:
        NotFound: there is no such team that the viewer is in.
    """
    team_id = _team_id(session, wanted, viewer)
    job = lock_job(session, job_id)
    if (job.visibility, job.team_id) == (wanted.visibility, team_id):
        return
    change(session, job_id, visibility=wanted.visibility, team_id=team_id)
    add_event(session, job_id, "shown", actor=actor, at=at, text=f"Shown to: {wanted}.")
    session.refresh(job)


def show_set(session: Session, set_id: int, wanted: Showing, *, viewer: Viewer) -> None:
    """Say who sees a dataset with all its versions.

    Raises:
        NotFound: there is no such team that the viewer is in.
    """
    team_id = _team_id(session, wanted, viewer)  # before the row, as whoever deletes a team does
    _show(session, lock_set(session, set_id), wanted, team_id)


def show_model(session: Session, model: RegisteredModelTable, wanted: Showing, *, viewer: Viewer) -> None:
    """Say who sees a registered model with all its versions and their files.

    Raises:
        NotFound: there is no such team that the viewer is in.
    """
    team_id = _team_id(session, wanted, viewer)
    lock_model(session, model.id)
    _show(session, model, wanted, team_id)


def _show(session: Session, row: ImageSetTable | RegisteredModelTable, wanted: Showing, team_id: int | None) -> None:
    row.team_id = team_id
    row.visibility = wanted.visibility
    session.flush()


def _team_id(session: Session, wanted: Showing, viewer: Viewer) -> int | None:
    if wanted.team is None:
        return None
    lock_pass(session, "teams")  # so that the team is not deleted meanwhile
    return find_team(session, viewer, wanted.team).id
