"""The SQL tables of how people get in and what they did: sessions of the pages, tries to log in, the audit trail."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from records.tables import PlainText, Table


class SessionTable(Table):
    """Somebody who is logged in on the pages. The cookie holds a secret of which only the SHA-256 is kept."""

    __tablename__ = "sessions"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    token_id: Mapped[int | None] = mapped_column(ForeignKey("tokens.id"))
    """The token that it began with, and without which it ends; NULL where it began with a password."""
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class LoginTryTable(Table):
    """A try to log in that has not succeeded, counted before the password is looked at."""

    __tablename__ = "login_tries"
    __table_args__ = (
        Index("ix_login_tries_account", "account", "at"),
        Index("ix_login_tries_address", "address", "at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(String(100))
    """The name that was given, whether or not somebody is called so; empty for a token."""
    address: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime]


class AuditTable(Table):
    """Who did what, when, on what and from where. Only ever added to: the database refuses anything else."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(150), index=True)
    """`user:NAME`, or `nobody` where somebody did not get in."""
    act: Mapped[str] = mapped_column(String(50))
    """`job.cancelled`, `token.made` …"""
    subject: Mapped[str] = mapped_column(PlainText)
    """On what: `job 7`, `user ada`, `dataset ada/ants`."""
    text: Mapped[str] = mapped_column(PlainText)
    """What else there is to say."""
    address: Mapped[str] = mapped_column(String(100))
    """Where the request came from."""
