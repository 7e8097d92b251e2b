"""What this yard knows of the catalogue's datasets: which it has fetched, from where, and their sample sheets."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from records.catalogue import Dataset
from records.database import upsert
from records.tables import DatasetTable


def note_fetched(session: Session, dataset: Dataset, *, source: str, sheet_sha256: str | None, at: datetime) -> None:
    """Record that a worker has verified the dataset's bytes; a later fetch replaces the row."""
    values = {"sha256": dataset.sha256, "source": source, "sheet_sha256": sheet_sha256, "fetched_at": at}
    statement = upsert(session, DatasetTable).values(name=dataset.name, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))


def fetched_datasets(session: Session) -> dict[str, DatasetTable]:
    """The datasets that some worker of this yard has fetched, by name."""
    return {row.name: row for row in session.scalars(select(DatasetTable))}
