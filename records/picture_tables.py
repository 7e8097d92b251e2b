"""The SQL tables of single pictures that people upload, and of the jobs that name them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from records.tables import PlainText, Table


class PictureTable(Table):
    """A picture of somebody's, written anew by the yard. One that no job names is swept."""

    __tablename__ = "pictures"
    # Rows go again; their ids must not come again and then mean something else.
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str] = mapped_column(PlainText)
    """What its sender calls it."""
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str] = mapped_column(String(100))
    width: Mapped[int]
    height: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(index=True)


class JobPictureTable(Table):
    """A job that names a picture in its spec. While the row is there, the picture cannot go."""

    __tablename__ = "job_pictures"
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    picture_id: Mapped[int] = mapped_column(ForeignKey("pictures.id"), primary_key=True, index=True)
