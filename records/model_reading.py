"""Registered models as they are shown, to whom `records.access` lets see them. Nothing here writes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import String, cast, func, select
from sqlalchemy.orm import Session

from records.access import EVERYTHING, Viewer, seen_by, sees
from records.errors import NotFound, near_matches, shorten
from records.model_tables import (
    AliasMoveTable,
    ModelAliasTable,
    ModelFileTable,
    ModelVersionTable,
    RegisteredModelTable,
)
from records.references import Reference, can_be_named
from records.tables import JobTable, TeamTable, UserTable


class AliasRow(NamedTuple):
    """An alias and the version that it points at."""

    name: str
    number: int
    move_id: int


class ModelRow(NamedTuple):
    """A registered model in a list."""

    model: RegisteredModelTable
    owner: str
    newest: ModelVersionTable | None
    versions: int
    aliases: Sequence[AliasRow]
    team: str | None
    """The team that sees it."""


class VersionRow(NamedTuple):
    """A version, with whose and under which name."""

    version: ModelVersionTable
    model: RegisteredModelTable
    owner: str


def list_models(
    session: Session,
    *,
    viewer: Viewer = EVERYTHING,
    owner_id: int | None = None,
    after: tuple[str, int] | None,
    limit: int,
) -> list[ModelRow]:
    """Registered models that somebody may see, by name, of one person or of all, behind `after` = (name, id)."""
    query = (
        select(RegisteredModelTable, UserTable.name, TeamTable.name)
        .join(UserTable, UserTable.id == RegisteredModelTable.owner_id)
        .outerjoin(TeamTable, TeamTable.id == RegisteredModelTable.team_id)
        .where(seen_by(viewer, RegisteredModelTable))
    )
    if owner_id is not None:
        query = query.where(RegisteredModelTable.owner_id == owner_id)
    if after is not None:
        name, model_id = after
        query = query.where(
            (RegisteredModelTable.name > name)
            | ((RegisteredModelTable.name == name) & (RegisteredModelTable.id > model_id))
        )
    rows = session.execute(query.order_by(RegisteredModelTable.name, RegisteredModelTable.id).limit(limit)).all()
    ids = [model.id for model, _, _ in rows]
    newest, aliases = _newest(session, ids), _aliases(session, ids)
    made = []
    for model, owner, team in rows:
        version, versions = newest.get(model.id) or (None, 0)
        made.append(ModelRow(model, owner, version, versions, aliases.get(model.id, ()), team))
    return made


def find_model(
    session: Session, viewer: Viewer, name: str, owner: str | None = None
) -> tuple[RegisteredModelTable, str]:
    """A registered model and its owner's name.

    Args:
        session: for reading.
        viewer: who wants it.
        name: of the model.
        owner: whose; the viewer's own when left out.

    Raises:
        NotFound: there is none that the viewer may see; the text names near ones of theirs.
    """
    query = select(RegisteredModelTable, UserTable.name).join(UserTable, UserTable.id == RegisteredModelTable.owner_id)
    query = query.where(RegisteredModelTable.name == name)
    query = query.where(UserTable.name == owner) if owner is not None else query.where(UserTable.id == viewer.person_id)
    row = session.execute(query).one_or_none() if can_be_named(name, owner) else None
    if row is None or not sees(session, viewer, row[0]):
        shown = f"{owner}/{name}" if owner else name
        raise NotFound(
            f"There is no registered model {shorten(repr(shown))} that you can see.{_near(session, viewer, name)}"
        )
    return row[0], row[1]


def find_version(session: Session, viewer: Viewer, reference: Reference) -> VersionRow:
    """The version that a reference names: by number, by alias, or the newest.

    Raises:
        NotFound: there is none that the viewer may see.
    """
    model, owner = find_model(session, viewer, reference.name, reference.owner)
    query = select(ModelVersionTable).where(ModelVersionTable.model_id == model.id)
    if reference.alias:
        query = query.join(ModelAliasTable, ModelAliasTable.version_id == ModelVersionTable.id)
        query = query.where(ModelAliasTable.name == reference.alias, ModelAliasTable.model_id == model.id)
    elif reference.number:
        query = query.where(ModelVersionTable.number == reference.number)
    version = session.scalar(query.order_by(ModelVersionTable.number.desc()).limit(1))
    if version is None:
        raise NotFound(_no_version(session, model, reference))
    return VersionRow(version, model, owner)


def list_versions(session: Session, model_id: int) -> Sequence[ModelVersionTable]:
    """All versions, the newest first."""
    query = select(ModelVersionTable).where(ModelVersionTable.model_id == model_id)
    return session.scalars(query.order_by(ModelVersionTable.number.desc())).all()


def list_aliases(session: Session, model_id: int) -> Sequence[AliasRow]:
    """A model's aliases by name."""
    return _aliases(session, [model_id]).get(model_id, ())


def find_alias(session: Session, model: RegisteredModelTable, name: str) -> AliasRow:
    """An alias.

    Raises:
        NotFound: there is no such alias.
    """
    for row in list_aliases(session, model.id):
        if row.name == name:
            return row
    raise NotFound(f"{model.name} has no alias {shorten(repr(name))}.")


def list_moves(session: Session, model_id: int, *, limit: int = 200) -> Sequence[AliasMoveTable]:
    """Moves of a model's aliases, the newest first."""
    query = select(AliasMoveTable).where(AliasMoveTable.model_id == model_id)
    return session.scalars(query.order_by(AliasMoveTable.id.desc()).limit(limit)).all()


def list_files(session: Session, version_ids: Sequence[int]) -> dict[int, list[ModelFileTable]]:
    """The files of versions by version, by name."""
    found: dict[int, list[ModelFileTable]] = defaultdict(list)
    query = select(ModelFileTable).where(ModelFileTable.version_id.in_(version_ids)).order_by(ModelFileTable.name)
    for row in session.scalars(query) if version_ids else ():
        found[row.version_id].append(row)
    return found


def find_file(session: Session, version: ModelVersionTable, name: str) -> ModelFileTable:
    """A file of a version.

    Raises:
        NotFound: there is none of that name; the text names near ones.
    """
    row = session.get(ModelFileTable, (version.id, name))
    if row is None:
        known = [file.name for file in list_files(session, [version.id])[version.id]]
        raise NotFound(f"Version {version.number} has no file {shorten(repr(name))}. {near_matches(name, known)}")
    return row


def names_of_job(session: Session, viewer: Viewer, job_id: int) -> list[Reference]:
    """The versions that a job's result is registered as, as far as somebody may see them."""
    query = (
        select(RegisteredModelTable.name, UserTable.name, ModelVersionTable.number)
        .join(RegisteredModelTable, RegisteredModelTable.id == ModelVersionTable.model_id)
        .join(UserTable, UserTable.id == RegisteredModelTable.owner_id)
        .where(ModelVersionTable.job_id == job_id, seen_by(viewer, RegisteredModelTable))
        .order_by(ModelVersionTable.id)
    )
    return [Reference(name, owner, number=number) for name, owner, number in session.execute(query)]


def list_exports(session: Session, viewer: Viewer, version: VersionRow, *, limit: int = 20) -> list[JobTable]:
    """The newest jobs that export a version, by its name or by its job's number, as far as somebody may see them."""
    model = version.model
    named = f'"{version.owner}/{model.name}@{version.version.number}"'
    exported = cast(JobTable.spec["run"], String).in_([str(version.version.job_id), named])
    query = select(JobTable).where(JobTable.kind == "export", exported, seen_by(viewer, JobTable))
    return list(session.scalars(query.order_by(JobTable.id.desc()).limit(limit)))


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────


def _newest(session: Session, model_ids: Sequence[int]) -> dict[int, tuple[ModelVersionTable, int]]:
    counted = (
        select(func.max(ModelVersionTable.id).label("id"), func.count().label("versions"))
        .where(ModelVersionTable.model_id.in_(model_ids))
        .group_by(ModelVersionTable.model_id)
        .subquery()
    )
    query = select(ModelVersionTable, counted.c.versions).join(counted, counted.c.id == ModelVersionTable.id)
    return {version.model_id: (version, versions) for version, versions in session.execute(query)} if model_ids else {}


def _aliases(session: Session, model_ids: Sequence[int]) -> dict[int, list[AliasRow]]:
    found: dict[int, list[AliasRow]] = defaultdict(list)
    query = (
        select(ModelAliasTable.model_id, ModelAliasTable.name, ModelVersionTable.number, ModelAliasTable.move_id)
        .join(ModelVersionTable, ModelVersionTable.id == ModelAliasTable.version_id)
        .where(ModelAliasTable.model_id.in_(model_ids))
        .order_by(ModelAliasTable.name)
    )
    for model_id, name, number, move_id in session.execute(query) if model_ids else ():
        found[model_id].append(AliasRow(name, number, move_id))
    return found


def _near(session: Session, viewer: Viewer, name: str) -> str:
    query = select(RegisteredModelTable.name).where(RegisteredModelTable.owner_id == viewer.person_id)
    known = list(session.scalars(query.order_by(RegisteredModelTable.name).limit(500)))
    return f" {near_matches(name, known)}" if known else ""


def _no_version(session: Session, model: RegisteredModelTable, reference: Reference) -> str:
    if reference.alias:
        known = [row.name for row in list_aliases(session, model.id)]
        return f"{model.name} has no alias {reference.alias!r}. {near_matches(reference.alias, known)}"
    if reference.number:
        return f"{model.name} has no version {reference.number}."
    return f"{model.name} has no version any more."
