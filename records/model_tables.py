"""The SQL tables of registered models: names, their versions, the files of each, and aliases with their moves."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from records.tables import PlainText, Shared, Table


class RegisteredModelTable(Shared, Table):
    """A person's registered model: a name, under which versions lie."""

    __tablename__ = "registered_models"
    __table_args__ = (UniqueConstraint("owner_id", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(63))
    last_number: Mapped[int]
    """Of the newest version that there ever was: a number is never given twice, also when its version is deleted."""
    created_at: Mapped[datetime]


class ModelVersionTable(Table):
    """A run's result under a number. It never changes."""

    __tablename__ = "model_versions"
    __table_args__ = (UniqueConstraint("model_id", "number"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("registered_models.id"))
    number: Mapped[int]
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), index=True)
    artifact: Mapped[str] = mapped_column(String(200))
    """The file that the version stands for, such as `model.keras`."""
    metrics: Mapped[dict[str, Any]]
    """The run's summary when it was registered."""
    note: Mapped[str | None] = mapped_column(PlainText)
    created_by: Mapped[str] = mapped_column(String(150))
    """`user:NAME`."""
    created_at: Mapped[datetime]


class ModelFileTable(Table):
    """A file of a version. Its bytes are kept for as long as this row is there, whatever becomes of the job's files."""

    __tablename__ = "model_files"
    version_id: Mapped[int] = mapped_column(ForeignKey("model_versions.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    kind: Mapped[str] = mapped_column(String(50))
    media_type: Mapped[str] = mapped_column(String(100))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), index=True)


class ModelAliasTable(Table):
    """A name that points at one version of a registered model, and can be moved to another."""

    __tablename__ = "model_aliases"
    model_id: Mapped[int] = mapped_column(ForeignKey("registered_models.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(63), primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("model_versions.id"), index=True)
    move_id: Mapped[int] = mapped_column(ForeignKey("alias_moves.id"))
    """What brought it here; its ETag is made from this."""


class AliasMoveTable(Table):
    """A move of an alias: who, when, from, to. Only ever added to."""

    __tablename__ = "alias_moves"
    __table_args__ = (Index("ix_alias_moves_model", "model_id", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("registered_models.id"))
    alias: Mapped[str] = mapped_column(String(63))
    from_number: Mapped[int | None]
    """NULL where the alias was new."""
    to_number: Mapped[int | None]
    """NULL where it was taken away."""
    actor: Mapped[str] = mapped_column(String(150))
    at: Mapped[datetime]
