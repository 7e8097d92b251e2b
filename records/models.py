"""Registered models: giving a run's result a name and a number, moving aliases, taking versions away.

A version never changes, and its files are kept for as long as it is there, whatever becomes of the job's own. Every
change locks the model's row first. No function here commits; `records.model_reading` shows what there is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from records.artifacts import find_artifact, list_artifacts
from records.database import lock_pass
from records.dropped import unnamed
from records.errors import Conflict, NotFound, PreconditionFailed, PreconditionRequired, shorten
from records.model_tables import (
    AliasMoveTable,
    ModelAliasTable,
    ModelFileTable,
    ModelVersionTable,
    RegisteredModelTable,
)
from records.references import ALIAS
from records.runs import read_summary
from records.states import JobStatus
from records.tables import ArtifactTable, JobTable

KEPT_KINDS = frozenset({"model", "weights", "record"})
"""Kinds of a job's files that a version keeps beside its own: from these its model can be built again."""

# ── versions ─────────────────────────────────────────────────────────────────────────────────────────────────


def register(
    session: Session,
    owner_id: int,
    name: str,
    job: JobTable,
    *,
    artifact: str,
    note: str | None,
    actor: str,
    at: datetime,
    only_new: bool = False,
) -> ModelVersionTable:
    """Give a job's result the next number under a name, which is made where there is none.

    Args:
        session: an open writing transaction.
        owner_id: whose name it is.
        name: of the registered model.
        job: whose result it is.
        artifact: the kept file that the version stands for.
        note: a few words.
        actor: `user:NAME`.
        at: now.
        only_new: refuse a name that is there already.

    Raises:
        Conflict: the job has not succeeded, or the name is there already and must not be.
        NotFound: the job has kept no such file.
    """
    if job.status != JobStatus.SUCCEEDED:
        raise Conflict(f"Job {job.id} is {job.status}; only the result of one that has succeeded can be registered.")
    find_artifact(session, job.id, artifact)
    lock_pass(session, f"model.{owner_id}.{name}")
    model = _find(session, owner_id, name)
    if model is not None and only_new:
        raise Conflict(f"You have a registered model {name!r} already. POST /models/{name}/versions adds a version.")
    if model is None:
        model = RegisteredModelTable(owner_id=owner_id, name=name, last_number=0, created_at=at)
        session.add(model)
    model.last_number += 1
    session.flush()
    version = ModelVersionTable(
        model_id=model.id,
        number=model.last_number,
        job_id=job.id,
        artifact=artifact,
        metrics=read_summary(session, job.id),
        note=note or None,
        created_by=actor,
        created_at=at,
    )
    session.add(version)
    session.flush()
    _keep_files(session, version)
    return version


def delete_version(session: Session, version: ModelVersionTable) -> list[str]:
    """Take a version away; the addresses of blobs that nothing names any more.

    Raises:
        Conflict: aliases point at it; the text lists them.
    """
    lock_model(session, version.model_id)
    names = session.scalars(
        select(ModelAliasTable.name).where(ModelAliasTable.version_id == version.id).order_by(ModelAliasTable.name)
    ).all()
    if names:
        raise Conflict(f"Aliases point at version {version.number}: {', '.join(names)}. Move {_them(names)} first.")
    return _delete_versions(session, [version.id])


def delete_model(session: Session, model: RegisteredModelTable) -> list[str]:
    """Take a registered model away with all its versions; the addresses of blobs that nothing names any more.

    Raises:
        Conflict: it has aliases; the text lists them.
    """
    lock_model(session, model.id)
    names = session.scalars(
        select(ModelAliasTable.name).where(ModelAliasTable.model_id == model.id).order_by(ModelAliasTable.name)
    ).all()
    if names:
        raise Conflict(f"{model.name} has aliases: {', '.join(names)}. Delete {_them(names)} first.")
    versions = session.scalars(select(ModelVersionTable.id).where(ModelVersionTable.model_id == model.id)).all()
    freed = _delete_versions(session, versions)
    session.execute(delete(AliasMoveTable).where(AliasMoveTable.model_id == model.id))
    session.execute(delete(RegisteredModelTable).where(RegisteredModelTable.id == model.id))
    return freed


# ── aliases ──────────────────────────────────────────────────────────────────────────────────────────────────

Expected = Callable[[int | None], bool] | None
"""Whether the alias is as its mover believes, from the id of its last move (None: there is none). None: unsaid."""


def move_alias(
    session: Session, version: ModelVersionTable, alias: str, *, expected: Expected, actor: str, at: datetime
) -> ModelAliasTable:
    """Let an alias point at a version, and record the move. Where it points there already, nothing changes.

    Raises:
        PreconditionRequired: it points elsewhere, and the mover did not say where they believe it to be.
        PreconditionFailed: it is not as the mover believes.
    """
    lock_model(session, version.model_id)
    row = _alias(session, version.model_id, alias)
    _check(row, alias, expected, must_say=row is not None and row.version_id != version.id)
    if row is not None and row.version_id == version.id:
        return row
    before = None if row is None else session.get_one(ModelVersionTable, row.version_id).number
    move = _add_move(session, version.model_id, alias, from_number=before, to_number=version.number, actor=actor, at=at)
    if row is None:
        row = ModelAliasTable(model_id=version.model_id, name=alias, version_id=version.id, move_id=move.id)
        session.add(row)
    row.version_id, row.move_id = version.id, move.id
    session.flush()
    return row


def delete_alias(
    session: Session, model: RegisteredModelTable, alias: str, *, expected: Expected, actor: str, at: datetime
) -> None:
    """Take an alias away, and record it.

    Raises:
        NotFound: there is no such alias.
        PreconditionRequired, PreconditionFailed: as in `move_alias`.
    """
    lock_model(session, model.id)
    row = _alias(session, model.id, alias) if re.fullmatch(ALIAS, alias) else None
    if row is None:
        raise NotFound(f"{model.name} has no alias {shorten(repr(alias))}.")
    _check(row, alias, expected, must_say=True)
    before = session.get_one(ModelVersionTable, row.version_id).number
    session.delete(row)
    _add_move(session, model.id, alias, from_number=before, to_number=None, actor=actor, at=at)


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────


def _find(session: Session, owner_id: int, name: str) -> RegisteredModelTable | None:
    query = select(RegisteredModelTable).where(
        RegisteredModelTable.owner_id == owner_id, RegisteredModelTable.name == name
    )
    return session.scalar(query.with_for_update().execution_options(populate_existing=True))


def lock_model(session: Session, model_id: int) -> None:
    """Let nobody else change a registered model until the transaction ends.

    Raises:
        NotFound: it was deleted a moment ago.
    """
    query = select(RegisteredModelTable.id).where(RegisteredModelTable.id == model_id).with_for_update()
    if session.scalar(query) is None:
        raise NotFound("This registered model was deleted a moment ago.")


def _alias(session: Session, model_id: int, alias: str) -> ModelAliasTable | None:
    query = select(ModelAliasTable).where(ModelAliasTable.model_id == model_id, ModelAliasTable.name == alias)
    return session.scalar(query.execution_options(populate_existing=True))


def _check(row: ModelAliasTable | None, alias: str, expected: Expected, *, must_say: bool) -> None:
    if expected is None and must_say:
        raise PreconditionRequired(
            f"The alias {alias!r} points somewhere already. Send If-Match with the ETag of the alias as you know it, "
            "so that nobody's move is lost; `*` moves it wherever it is."
        )
    if expected is not None and not expected(None if row is None else row.move_id):
        raise PreconditionFailed(f"Somebody has moved the alias {alias!r} since you looked. Look again, then decide.")


def _add_move(session: Session, model_id: int, alias: str, **columns: object) -> AliasMoveTable:
    move = AliasMoveTable(model_id=model_id, alias=alias, **columns)
    session.add(move)
    session.flush()
    return move


def _keep_files(session: Session, version: ModelVersionTable) -> None:
    for row in list_artifacts(session, version.job_id):
        if row.name == version.artifact or row.kind in KEPT_KINDS:
            session.add(_file(version.id, row))
    session.flush()


def _file(version_id: int, row: ArtifactTable) -> ModelFileTable:
    return ModelFileTable(
        version_id=version_id,
        name=row.name,
        kind=row.kind,
        media_type=row.media_type,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
    )


def _delete_versions(session: Session, version_ids: Sequence[int]) -> list[str]:
    mine = ModelFileTable.version_id.in_(version_ids)
    digests = set(session.scalars(select(ModelFileTable.sha256).where(mine)))
    session.execute(delete(ModelFileTable).where(mine))
    session.execute(delete(ModelVersionTable).where(ModelVersionTable.id.in_(version_ids)))
    return unnamed(session, digests) if digests else []


def _them(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"
