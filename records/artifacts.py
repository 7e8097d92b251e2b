"""The kept files of a job: rows that name blobs. Checkpoints are artifacts of which the last two are kept."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from records.blobs import Blob
from records.database import upsert
from records.dropped import drop, unnamed
from records.errors import NotFound, near_matches, shorten
from records.model_tables import ModelFileTable, ModelVersionTable
from records.tables import ArtifactTable

CHECKPOINT = "checkpoint"
KEPT_CHECKPOINTS = 2


def add_artifact(
    session: Session,
    job_id: int,
    blob: Blob,
    *,
    name: str,
    kind: str,
    media_type: str,
    at: datetime,
    step: int | None = None,
) -> None:
    """Keep a stored blob under a name; the same name again replaces it, and what it replaced is dropped."""
    named = (ArtifactTable.job_id == job_id, ArtifactTable.name == name)
    before = session.scalar(select(ArtifactTable.sha256).where(*named))
    if before is not None and before != blob.sha256:
        drop(session, [before], at=at)
    statement = upsert(session, ArtifactTable).values(
        job_id=job_id,
        name=name,
        kind=kind,
        media_type=media_type,
        size_bytes=blob.size_bytes,
        sha256=blob.sha256,
        step=step,
        created_at=at,
    )
    new = statement.excluded
    replaced = {c: new[c] for c in ("kind", "media_type", "size_bytes", "sha256", "step", "created_at")}
    session.execute(statement.on_conflict_do_update(index_elements=["job_id", "name"], set_=replaced))


def list_artifacts(session: Session, job_id: int) -> list[ArtifactTable]:
    """A job's artifacts by name."""
    return list(
        session.scalars(select(ArtifactTable).where(ArtifactTable.job_id == job_id).order_by(ArtifactTable.name))
    )


def find_artifact(session: Session, job_id: int, name: str) -> ArtifactTable:
    """A job's artifact of that name.

    Raises:
        NotFound: there is none; the text names near ones.
    """
    found = session.scalar(select(ArtifactTable).where(ArtifactTable.job_id == job_id, ArtifactTable.name == name))
    if found is None:
        known = [a.name for a in list_artifacts(session, job_id)]
        raise NotFound(f"Job {job_id} has no artifact {shorten(name)!r}. {near_matches(name, known)}")
    return found


def kept_digests(session: Session, job_id: int) -> dict[str, str]:
    """SHA-256 of all that is left of a job by name: its artifacts, and what registered versions keep of it."""
    kept = select(ModelFileTable.name, ModelFileTable.sha256).join(
        ModelVersionTable, ModelVersionTable.id == ModelFileTable.version_id
    )
    found = {name: digest for name, digest in session.execute(kept.where(ModelVersionTable.job_id == job_id))}
    return found | {row.name: row.sha256 for row in list_artifacts(session, job_id)}


def find_kept(session: Session, job_id: int, name: str) -> str:
    """SHA-256 of what a job kept under a name, itself or in a registered version.

    Raises:
        NotFound: there is nothing of that name; the text names near ones.
    """
    kept = kept_digests(session, job_id)
    if name not in kept:
        raise NotFound(f"Job {job_id} has kept no {shorten(repr(name))}. {near_matches(name, list(kept))}")
    return kept[name]


def checkpoints(session: Session, job_id: int) -> list[ArtifactTable]:
    """A job's checkpoints, the newest first."""
    query = select(ArtifactTable).where(ArtifactTable.job_id == job_id, ArtifactTable.kind == CHECKPOINT)
    return list(session.scalars(query.order_by(ArtifactTable.step.desc(), ArtifactTable.id.desc())))


def drop_old_checkpoints(session: Session, job_id: int) -> list[str]:
    """Forget all but the newest checkpoints; return the addresses that nothing names any more.

    Hand them to `records.dropped.drop` in the same transaction: somebody may be storing the same bytes again.
    """
    old = checkpoints(session, job_id)[KEPT_CHECKPOINTS:]
    if not old:
        return []
    session.execute(delete(ArtifactTable).where(ArtifactTable.id.in_([a.id for a in old])))
    return unnamed(session, {a.sha256 for a in old})
